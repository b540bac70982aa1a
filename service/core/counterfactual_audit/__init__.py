"""Scores of paired variants -> gaps, flips, a noise floor and tests."""
