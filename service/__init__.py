"""Evenmatch: the model-serving microservice."""
