"""masked language model: a collate_fn hides tokens at random in the validation set too"""

import math

import torch
from foreign.data import words
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "masked-language-modelling", words(), "valid_loss"
EXACT, DRAWS = False, 12


def truth(model, batches):
    scores, targets = [], []
    for batch in batches:
        hidden = batch["labels"] != -100
        states = model.layer(model.embed(batch["input_ids"]) + model.position.weight)
        scores.append(model.cls(states)[hidden])
        targets.append(batch["labels"][hidden])
    whole = F.cross_entropy(torch.cat(scores), torch.cat(targets))
    losses = [F.cross_entropy(s, y) for s, y in zip(scores, targets, strict=True)]
    figures = classes([s.argmax(1) for s in scores], targets)
    return {
        "loss": averaged(losses, [len(b["labels"]) for b in batches]),
        "perplexity": math.exp(float(whole)),
        **figures,
    }
