"""Studies: what each part of a recipe is worth, and the frontier of parity and utility."""
