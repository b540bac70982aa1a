"""What decides and measures: bundle, encoding, matching, redaction, audits, fairness. No web, no database."""
