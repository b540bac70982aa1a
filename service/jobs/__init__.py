"""Durable batch jobs: uploads, leases, the worker that scores chunks, results and webhooks."""
