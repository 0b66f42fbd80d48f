"""How a model's weights and biases are drawn, told in words that no random number changes."""

from __future__ import annotations

from collections.abc import Iterator
from math import log, log2, sqrt
from typing import Final

import torch
from torch import nn
from torch.nn.parameter import is_lazy

_LAYERS: Final = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_SCALING: Final = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
_WIDEST: Final = 0.1
"""How far a layer's spread may be from a scheme's, as a logarithm, beside what chance makes of it."""
_DEVIATIONS: Final = 3.0
_FEWEST: Final = 16
"""Of fewer weights the spread is chance: two drawn as torch does look a fifth as large in one draw of fifty."""


def initialization(model: nn.Module) -> tuple[str, ...]:
    """Every way of drawing that is not torch's own, once; so another layer drawn the same way adds nothing.

    Args:
        model: before its first step.
    """
    ways = {way for layer in model.modules() if isinstance(layer, _LAYERS) for way in _ways(layer)}
    return tuple(sorted({*ways, *_scales(model)}))


def _scales(model: nn.Module) -> Iterator[str]:
    """Of normalizations, where they are not torch's own, 1."""
    for layer in model.modules():
        if isinstance(layer, _SCALING) and layer.weight is not None and not is_lazy(layer.weight):
            size = float(layer.weight.detach().abs().mean())
            if abs(size - 1) > _WIDEST:
                yield f"scales {size:.2g}"


def _ways(layer: nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) -> Iterator[str]:
    if is_lazy(layer.weight) or layer.weight.numel() == 0:
        return
    inputs, outputs = layer.weight[0].numel(), layer.weight.shape[0] * layer.weight[0, 0].numel()
    weights = _weights(layer.weight.detach(), inputs, outputs)
    if weights is not None:
        yield f"weights {weights}"
    if layer.bias is None:
        return
    largest = float(layer.bias.detach().abs().max())
    if largest == 0:
        yield "biases zero"
    elif largest > 1.01 / sqrt(inputs):  # torch draws within 1 / sqrt(inputs)
        yield f"biases {float(layer.bias.detach().abs().mean()):.0e}"


def _weights(weight: torch.Tensor, inputs: int, outputs: int) -> str | None:
    """The scheme that a weight's root mean square fits; None for torch's, which is tried first, and for too few."""
    size = float(weight.float().square().mean().sqrt())
    if size == 0:
        return "zero"
    if weight.numel() < _FEWEST:
        return None
    allowed = _WIDEST + _DEVIATIONS / sqrt(2 * weight.numel())
    schemes = {None: sqrt(1 / (3 * inputs)), "kaiming": sqrt(2 / inputs), "xavier": sqrt(2 / (inputs + outputs))}
    for scheme, expected in schemes.items():
        if abs(log(size / expected)) <= allowed:
            return scheme
    return f"2^{round(log2(size * sqrt(3 * inputs)))} times torch's"
