"""Redaction on annotated resumes: what is left, what is lost, and what it decides."""
