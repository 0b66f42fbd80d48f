"""Metrics, and the comparison of two versions by them."""
