"""Registered models, read back."""

from __future__ import annotations

import runpy
import zipfile
from pathlib import Path

import torch
from torch import nn

from progtrain.errors import EvaluationError


def load_exported(folder: Path) -> nn.Module:
    """The module of a registered model: of the one torch.export file (`*.pt2`) below `folder`, or from its code.

    A model from code is a folder with `served.py`, whose `load_module` builds the module from `artifacts/`.

    Raises:
        EvaluationError: there is not exactly one, or it cannot be read.
    """
    code = folder / "served.py"
    if code.is_file():
        served: nn.Module = runpy.run_path(str(code))["load_module"](folder / "artifacts")
        return served
    files = sorted(folder.rglob("*.pt2"))
    if len(files) != 1:
        raise EvaluationError(
            f"Expected one exported model (*.pt2) below {folder}, got {len(files)}. Give the folder of one model."
        )
    try:
        return torch.export.load(files[0]).module()
    except (RuntimeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise EvaluationError(f"{files[0]} cannot be loaded: {error}. Export the model again.") from error
