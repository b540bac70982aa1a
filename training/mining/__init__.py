"""Hard negatives from a pool of resumes that is larger than memory."""
