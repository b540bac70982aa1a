"""The pipeline that makes what the service loads."""
