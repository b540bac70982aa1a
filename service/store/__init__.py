"""Decisions and outcomes in a database, kept for monitoring and for the law. Never a word of a resume."""
