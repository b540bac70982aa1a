"""Training data: pairs from users' files or synthetic ones, cut into splits, and summaries of them."""
