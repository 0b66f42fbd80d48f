"""Train, measure, explain, change one thing: versions of a Lightning script, with a record to trust."""

__version__ = "0.1.0"
