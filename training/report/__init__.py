"""Evaluations as HTML files that need nothing else, drawn from `metrics.json` alone."""
