"""two validation loaders in a dict, the checkpoint watches the second"""

from foreign.data import table
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "tabular-classification", table(), "val_loss/dataloader_idx_1"
LOADER = "valid"


def truth(model, batches):
    pairs = [(model(x), y) for x, y in batches]
    losses = [F.cross_entropy(s, y) for s, y in pairs]
    sizes, targets = [len(y) for _, y in pairs], [y for _, y in pairs]
    return {"loss": averaged(losses, sizes), **classes([s.argmax(1) for s, _ in pairs], targets)}
