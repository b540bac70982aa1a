"""Resumes of invented people as files that other people's tools made, and how to tell whether one was read
in order.
"""
