"""A script's source, understood without running it."""
