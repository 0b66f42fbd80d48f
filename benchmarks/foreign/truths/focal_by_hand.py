"""a focal loss of the script's own, alpha by class"""

import torch
from foreign.data import table
from foreign.figures import averaged, classes

TASK, DATA, LOSS = "tabular-classification", table(), "val_loss"


def focal(scores, targets):
    chances = scores.softmax(1).gather(1, targets[:, None]).squeeze(1)
    return (torch.tensor([1.0, 0.5, 2.0, 1.0])[targets] * (1 - chances) ** 2 * -chances.log()).mean()


def truth(model, batches):
    scores, targets = [model(x) for x, _ in batches], [y for _, y in batches]
    losses = [focal(s, y) for s, y in zip(scores, targets, strict=True)]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
