"""A script run up to `Trainer.fit`, and what it was about to train."""
