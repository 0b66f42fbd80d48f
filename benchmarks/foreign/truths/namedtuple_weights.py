"""namedtuple batches, class weights and label smoothing in the validation loss, weighted sampler"""

from foreign.data import binary
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "classification", binary(), "valid_loss"


def truth(model, batches):
    scores = [model.fc2(model.fc1(b.features).relu()) for b in batches]
    targets = [b.grade for b in batches]
    losses = [
        F.cross_entropy(s, y, weight=model.loss_fn.weight, label_smoothing=0.1)
        for s, y in zip(scores, targets, strict=True)
    ]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
