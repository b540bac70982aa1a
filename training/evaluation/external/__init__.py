"""Bundles on resumes and postings from elsewhere, beside baselines, with intervals over both."""
