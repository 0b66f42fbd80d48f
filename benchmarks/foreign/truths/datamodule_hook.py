"""the DataModule changes batches before their transfer, self.net is called past forward"""

from foreign.data import TRAIN, table
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-classification", table(shift=5.0), "val_loss"
CENTER = DATA["x"][:TRAIN].mean(0)


def truth(model, batches):
    scores, targets = [model.net(x - x.new_tensor(CENTER)) for x, _ in batches], [y for _, y in batches]
    losses = [F.cross_entropy(s, y) for s, y in zip(scores, targets, strict=True)]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
