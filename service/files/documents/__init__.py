"""Documents as people have them (PDF, Word, ...): their kind, and the text that a reader sees in them."""
