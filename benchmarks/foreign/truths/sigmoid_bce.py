"""probabilities by a sigmoid in the model and nn.BCELoss"""

from foreign.data import binary
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "binary-classification", binary(), "val_loss"


def truth(model, batches):
    pairs = [(model(x), y) for x, y in batches]
    losses = [F.binary_cross_entropy(s, y.float()) for s, y in pairs]
    answers, targets = [(s > 0.5).long() for s, _ in pairs], [y for _, y in pairs]
    return {"loss": averaged(losses, map(len, targets)), **classes(answers, targets)}
