"""Scoring of many resumes outside a request."""
