"""metric learning by triplets within the batch"""

from foreign.data import table

TASK, DATA, LOSS = "tabular-classification", table(), "val_loss"


def truth(model, batches):
    """An embedding answers no class."""
    return {}
