"""Putting trained weights into a model, without running anything that a checkpoint might carry."""

from __future__ import annotations

import pickle
import runpy
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from progtrain.errors import EvaluationError


class _Inert:
    """Stands for a class that a checkpoint names (hyper-parameters, mostly): built, and never run."""

    def __new__(cls, *args: object, **kwargs: object) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def load_weights(model: nn.Module, checkpoint: Path) -> None:
    """Load a Lightning checkpoint's `state_dict` into the model and set it to evaluation mode.

    Raises:
        EvaluationError: the checkpoint is missing, cannot be read safely, or does not fit the model.
    """
    if not checkpoint.is_file():
        raise EvaluationError(f"Expected trained weights in {checkpoint}; there are none. Train the version first.")
    weights = read_checkpoint(checkpoint).get("state_dict")
    if not isinstance(weights, Mapping):
        raise EvaluationError(
            f"Expected a Lightning checkpoint with a state_dict in {checkpoint}, got none. "
            "Save it with ModelCheckpoint."
        )
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise EvaluationError(
            f"{checkpoint} does not fit the model that its script builds: {error}. Train the version again."
        ) from error
    model.eval()


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


def read_checkpoint(checkpoint: Path) -> Mapping[str, Any]:
    """What a Lightning checkpoint holds; classes that it names stand there inert.

    Raises:
        EvaluationError: it is not whole, or cannot be read safely.
    """
    try:
        return _load(checkpoint)
    except pickle.UnpicklingError:
        pass  # it names classes that torch does not know to be safe
    except (RuntimeError, OSError, EOFError) as error:
        raise EvaluationError(f"{checkpoint} is not a whole checkpoint: {error}. Train the version again.") from error
    named: list[Any] = [(_Inert, name) for name in torch.serialization.get_unsafe_globals_in_checkpoint(checkpoint)]
    try:
        with torch.serialization.safe_globals(named):
            return _load(checkpoint)
    except (pickle.UnpicklingError, TypeError) as error:
        raise EvaluationError(
            f"{checkpoint} holds objects that cannot be read safely ({', '.join(name for _, name in named)}): {error} "
            "Let save_hyperparameters() keep plain values only (`ignore=[...]` leaves out the rest)."
        ) from error


def _load(checkpoint: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return loaded
