"""two values a sample, stacked in the step, Huber's loss summed"""

import torch
from foreign.data import prices
from foreign.figures import averaged, values
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-regression", prices(), "val_loss"


def truth(model, batches):
    pairs = [(model(x), torch.stack([y / 1000, z], dim=1)) for x, y, z in batches]
    losses = [F.huber_loss(answer, true, reduction="sum") for answer, true in pairs]
    return {"loss": averaged(losses, [len(y) for _, y in pairs]), **values(*zip(*pairs, strict=True))}
