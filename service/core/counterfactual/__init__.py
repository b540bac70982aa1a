"""Paired variants of a resume in which one attribute changes, and benign edits as their control."""
