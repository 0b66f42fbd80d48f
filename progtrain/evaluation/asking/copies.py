"""Weights that are equal only because nothing has been trained yet."""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

_SHARE: Final = 0.02
_FLOOR: Final = 1e-3
"""For weights that begin at 0."""


def tell_copies_apart(model: nn.Module) -> None:
    """Move every parameter of an untrained module a little, each another way.

    A copy of the network that is averaged along (an exponential moving average, a teacher) has the network's own
    weights until the first step, so that the answers of the one pass for those of the other.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point() and not isinstance(parameter, nn.UninitializedParameter):
                noise = torch.randn(parameter.shape, generator=generator).to(parameter)
                parameter.add_(noise * (parameter.abs() * _SHARE + _FLOOR))
