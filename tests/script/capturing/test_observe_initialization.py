"""What of the drawn numbers is told as a scheme, and what is left to chance."""

from __future__ import annotations

import torch
from torch import nn

from progtrain.script.capturing.observe_initialization import initialization


def test_a_handful_of_weights_never_looks_like_a_scheme_by_chance() -> None:
    for seed in range(300):
        torch.manual_seed(seed)
        assert initialization(nn.Linear(2, 1)) == ()


def test_weights_of_zero_are_told_however_few() -> None:
    layer = nn.Linear(2, 1)
    nn.init.zeros_(layer.weight)
    assert initialization(layer) == ("weights zero",)
