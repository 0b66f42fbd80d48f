"""running sums of the epoch, nll of log_softmax in forward, accuracy in percent"""

import torch
from foreign.data import table
from foreign.figures import classes
from torch.nn import functional as F

TASK, DATA, LOSS = "classification", table(), "val_loss"


def truth(model, batches):
    scores, targets = [model.fc2(model.fc1(x).relu()) for x, _ in batches], [y for _, y in batches]
    loss = float(F.cross_entropy(torch.cat(scores), torch.cat(targets)))
    return {"loss": loss, **classes([s.argmax(1) for s in scores], targets)}
