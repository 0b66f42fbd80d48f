"""mean and spread of the target in buffers that on_fit_start fills"""

from foreign.data import prices
from foreign.figures import averaged, values
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-regression", prices(), "val_mae"


def truth(model, batches):
    pairs = [(model(x), y) for x, y in batches]
    losses = [F.l1_loss(answer, true) for answer, true in pairs]
    return {"loss": averaged(losses, [len(y) for _, y in pairs]), **values(*zip(*pairs, strict=True))}
