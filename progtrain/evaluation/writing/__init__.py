"""03_eval.py as it is written for a workspace."""
