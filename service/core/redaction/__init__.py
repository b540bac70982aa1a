"""What the model may not see: a versioned policy, detectors by category, and the redactor that applies them."""
