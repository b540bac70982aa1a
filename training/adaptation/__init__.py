"""Adapting a base model to a company's own postings and resumes, without labels."""
