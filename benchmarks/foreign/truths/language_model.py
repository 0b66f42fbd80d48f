"""GPT-like: a batch of ids alone, shifted against its own scores after forward; exp(loss) logged"""

import math

import torch
from foreign.data import words
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "text-generation", words(), "val_loss"


def truth(model, batches):
    scores = [model(ids[:, :-1]) for (ids,) in batches]  # causal: what comes last changes nothing before
    targets = [ids[:, 1:] for (ids,) in batches]
    losses = [F.cross_entropy(s.flatten(0, 1), y.flatten()) for s, y in zip(scores, targets, strict=True)]
    whole = F.cross_entropy(torch.cat(scores).flatten(0, 1), torch.cat(targets).flatten())
    figures = classes([s.argmax(2) for s in scores], targets)
    return {"loss": averaged(losses, map(len, targets)), "perplexity": math.exp(float(whole)), **figures}
