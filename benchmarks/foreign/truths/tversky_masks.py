"""masks [N, 1, H, W] of floats, BCE + Tversky over the batch, one logit a pixel, pytorch_lightning"""

import torch
from foreign.data import shapes
from foreign.figures import averaged, foreground
from torch.nn import functional as F

TASK, DATA, LOSS = "image-segmentation", shapes(), "loss/val"


def truth(model, batches):
    scores, masks = [model.head(model.mid(model.enc(x))) for x, _ in batches], [y for _, y in batches]
    losses = []
    for found, mask in zip(scores, masks, strict=True):
        p = torch.sigmoid(found)
        hit, false, missed = (p * mask).sum(), (p * (1 - mask)).sum(), ((1 - p) * mask).sum()
        tversky = 1 - (hit + 1) / (hit + 0.3 * false + 0.7 * missed + 1)
        losses.append(0.5 * F.binary_cross_entropy_with_logits(found, mask) + 0.5 * tversky)
    answers = [(s[:, 0] > 0).long() for s in scores]
    return {"loss": averaged(losses, map(len, masks)), **foreground(answers, [m[:, 0].long() for m in masks])}
