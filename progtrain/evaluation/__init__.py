"""Measuring versions: one locked yardstick, the same validation samples, and differences with their noise."""
