"""Files in and out: resumes, decisions, redacted texts, exports."""
