"""batches (x, y, subject), torchmetrics objects logged, checkpoint by accuracy"""

from foreign.data import table
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-classification", table(), "val/loss"


def truth(model, batches):
    scores = [model.classifier(model.encoder(x)) for x, _, _ in batches]
    targets = [y for _, y, _ in batches]
    losses = [F.cross_entropy(s, y) for s, y in zip(scores, targets, strict=True)]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
