"""What the service tells Prometheus: series, values shared by processes, live fairness."""
