"""Scoring on many machines with Ray Data: inputs from any file system, blocks, a checkpoint, Parquet out."""
