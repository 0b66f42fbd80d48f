"""batches are objects of nodes, neighbours and graph numbers, as a graph library collates them"""

from foreign.data import graphs
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "graph-classification", graphs(), "val_loss"


def truth(model, batches):
    scores, targets = [model(b.x, b.edge_index, b.batch) for b in batches], [b.y for b in batches]
    losses = [F.cross_entropy(s, y) for s, y in zip(scores, targets, strict=True)]
    return {"loss": averaged(losses, map(len, targets)), **classes([s.argmax(1) for s in scores], targets)}
