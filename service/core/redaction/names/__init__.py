"""Persons' names: where they stand, what they look like, and where they are mentioned again."""
