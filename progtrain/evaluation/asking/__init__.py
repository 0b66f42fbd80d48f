"""A version's model and its answers."""
