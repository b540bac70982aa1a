"""Decisions and outcomes, kept for monitoring and for the law: never a word of a resume."""
