"""Hard facts that a posting asks for, found by rules, and whether a resume states them."""
