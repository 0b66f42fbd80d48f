"""seq2seq with teacher forcing: trg[:, :-1] goes in, trg[:, 1:] is the target, padding 0 ignored"""

import math

import torch
from foreign.data import words
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "text-generation", words(), "val_loss"


def truth(model, batches):
    losses, scores, targets = [], [], []
    for source, target in batches:
        state = model.encoder(model.embedding(source))[1]
        found = model.fc_out(model.decoder(model.embedding(target[:, :-1]), state)[0])
        inside = target[:, 1:] != 0
        scores.append(found[inside])
        targets.append(target[:, 1:][inside])
        losses.append(F.cross_entropy(scores[-1], targets[-1]))
    whole = F.cross_entropy(torch.cat(scores), torch.cat(targets))
    figures = classes([s.argmax(1) for s in scores], targets)
    return {"loss": averaged(losses, [len(s) for s, _ in batches]), "perplexity": math.exp(float(whole)), **figures}
