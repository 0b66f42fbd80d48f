"""A training script: what it sets and where, what it is about to train, and edits of it."""
