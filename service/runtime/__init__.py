"""What keeps inference fast and alive."""
