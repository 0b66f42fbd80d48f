"""tagging: packed sequences, lengths as a second input, ignore_index=0, view(-1, C)"""

import torch
from foreign.data import sequences
from foreign.figures import averaged, classes
from torch.nn import functional as F

TASK, DATA, LOSS = "token-classification", sequences(), "val_loss"


def truth(model, batches):
    losses, answers, targets = [], [], []
    for tokens, tags, lengths in batches:
        for row in range(len(tokens)):  # one sentence at a time, without any padding
            states = model.lstm(model.word_embeddings(tokens[row : row + 1, : lengths[row]]))[0]
            answers.append(model.hidden2tag(states)[0])
            targets.append(tags[row, : lengths[row]])
        count = len(tokens)
        losses.append(F.cross_entropy(torch.cat(answers[-count:]), torch.cat(targets[-count:])))
    return {
        "loss": averaged(losses, [len(b[0]) for b in batches]),
        **classes([a.argmax(1) for a in answers], targets),
    }
