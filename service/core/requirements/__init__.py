"""Hard facts that a posting asks for and similarity cannot see, found by rules, and whether a resume states them."""
