"""a project in five files, forward gives a dict, PolyLoss from a file beside the script"""

from foreign.data import table
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-classification", table(scale=12, shift=50), "val_loss"


def poly(scores, targets):
    chances = scores.softmax(1).gather(1, targets[:, None])
    return F.cross_entropy(scores, targets) + 1 - chances.mean()


def truth(model, batches):
    scores, targets = [model.head(model.backbone(b["input"])) for b in batches], [b["label"] for b in batches]
    losses = [poly(s, y) for s, y in zip(scores, targets, strict=True)]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
