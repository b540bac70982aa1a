"""Synthetic resumes and jobs, made from a seed."""
