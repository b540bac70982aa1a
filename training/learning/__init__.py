"""The trained part: data as batches, the model with its losses, the trainer and what it keeps."""
