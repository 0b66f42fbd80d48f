"""The one-time audit of a baseline: what does not follow the contract, and the smallest patch."""
