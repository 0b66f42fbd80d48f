"""Measuring models from elsewhere: their own inference on the raw validation inputs, scored as versions are."""
