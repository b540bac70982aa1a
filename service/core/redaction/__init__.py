"""What the model may not see: a policy, a recogniser for each kind of entity, and the redactor that runs them."""
