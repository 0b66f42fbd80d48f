"""two heads, the loss is the sum of both"""

from foreign.data import table

TASK, DATA, LOSS = "tabular-classification", table(), "val_loss"


def truth(model, batches):
    """Which head is the one that counts, only a person can say."""
    return {}
