"""What goes into a bundle and where it goes: reference vectors, cards, export, the model hub."""
