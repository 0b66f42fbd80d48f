"""SimCLR: a list of two random views, a loss over all pairs of the batch, labels not used"""

from foreign.data import digits

TASK, DATA, LOSS = "image-classification", digits(), "val_loss"


def truth(model, batches):
    """There is no class to be right about."""
    return {}
