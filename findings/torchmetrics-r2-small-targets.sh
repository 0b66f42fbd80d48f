#!/bin/sh
# torchmetrics 1.9.0 (with torch 2.13.0): R2Score is exactly 1.0, the score of a perfect model, for answers that are
# noise, where targets are small numbers.
#
# R2 does not depend on the unit: targets in metres and in millimetres have the same. R2Score takes a sum of squared
# errors below 1e-4 for 0, whatever the targets' own size, and 1.0 for the score then. 100 targets with a standard
# deviation of 0.0005 are below it, as learning targets in metres, seconds or daily returns are. The same numbers times
# 1000 get the true score. Nothing warns. ExplainedVariance, beside it, has no such step and is right on both.
#
# Expected: the same negative number four times. Seen: 1.0 for R2Score on the small numbers.
#
#     measured in     R2Score     by hand     ExplainedVariance
#     thousandths     -1.0622     -1.0622     -1.0489
#     ones             1.0000     -1.0622     -1.0489
#
# Ends with 0 where this is seen, with 1 where torchmetrics does something else. Needs python 3.10 or later, and pip.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 torchmetrics==1.9.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
from torchmetrics.regression import ExplainedVariance, R2Score

draw = torch.Generator().manual_seed(0)
targets = 0.0005 * torch.randn(100, generator=draw)
answers = 0.0005 * torch.randn(100, generator=draw)  # noise: they know nothing of the targets


def by_hand(answers, targets):
    answers, targets = answers.double(), targets.double()
    return 1 - ((answers - targets) ** 2).sum().item() / ((targets - targets.mean()) ** 2).sum().item()


print("measured in     R2Score     by hand     ExplainedVariance")
scores = {}
for unit, scale in (("thousandths", 1000), ("ones", 1)):
    pair = answers * scale, targets * scale
    scores[unit] = R2Score()(*pair).item()
    print(f"{unit:<11} {scores[unit]:11.4f} {by_hand(*pair):11.4f} {ExplainedVariance()(*pair).item():11.4f}")
truth = by_hand(answers, targets)
seen = scores["ones"] == 1.0 and truth < 0 and abs(scores["thousandths"] - truth) < 1e-3
print("as described" if seen else "torchmetrics does something else now")
sys.exit(not seen)
PYTHON
