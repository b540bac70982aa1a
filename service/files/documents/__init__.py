"""Documents as people have them (PDF, Word, ...): what kind they are, and the text that a reader sees in them."""
