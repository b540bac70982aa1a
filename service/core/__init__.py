"""The domain: no web framework, no metrics, no environment, no database."""
