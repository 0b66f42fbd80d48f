"""Samples and answers as a person looks at them."""
