"""CTC: log_softmax and permute in the step, padded targets with lengths"""

from itertools import groupby

import torch
from foreign.data import lines
from foreign.figures import averaged, texts
from torch.nn import functional as F

TASK, DATA, LOSS, STATS = "ocr-recognition", lines(), "val_loss", {"vocabulary": list("abcdef")}


def truth(model, batches):
    losses, found, true = [], [], []
    for x, y, lengths in batches:
        scores = model.fc(model.rnn(model.conv(x.transpose(1, 2)).relu().transpose(1, 2))[0])
        logs = scores.log_softmax(2).transpose(0, 1)
        losses.append(F.ctc_loss(logs, y, torch.full((len(x),), 20), lengths, zero_infinity=True))
        for row in scores.argmax(2).tolist():
            found.append("".join("abcdef"[c - 1] for c, _ in groupby(row) if c))
        true += ["".join("abcdef"[c - 1] for c in row[:n]) for row, n in zip(y.tolist(), lengths.tolist(), strict=True)]
    return {"loss": averaged(losses, [len(x) for x, _, _ in batches]), **texts(found, true)}
