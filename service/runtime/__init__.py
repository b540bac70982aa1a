"""The loaded model at work: reading texts, the queue, the cache, the inference thread, shadow audits."""
