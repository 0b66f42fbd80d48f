"""What tells the trained weights of a version from those of another, without either being loaded twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from progtrain.script.capturing.checkpoints import read_checkpoint


def weights_sha256(checkpoint: Path) -> str | None:
    """Hash names, types, shapes and values of a checkpoint's `state_dict`, whatever order they are kept in.

    Args:
        checkpoint: of Lightning.

    Returns:
        None where it holds anything but plain tensors.

    Raises:
        EvaluationError: it cannot be read safely.
    """
    weights = read_checkpoint(checkpoint).get("state_dict")
    if not isinstance(weights, Mapping):
        return None
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
            return None
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        digest.update(value.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
