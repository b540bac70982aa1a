"""A training run from its data to its bundle."""
