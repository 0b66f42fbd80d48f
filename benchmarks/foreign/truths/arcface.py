"""ArcFace: the head takes the labels, so the validation scores know the answer"""

from foreign.data import digits

TASK, DATA, LOSS = "image-classification", digits(), "val_loss"


def truth(model, batches):
    """What the script logs is no figure of a model that has to answer: none of it may be measured."""
    return {}
