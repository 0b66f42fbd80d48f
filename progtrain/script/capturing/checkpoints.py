"""Checkpoints read without running what they carry, and put into a captured module as Lightning would."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.errors import EvaluationError, shortened

_COMPILED: Final = "_orig_mod."


class _Inert:
    """Stands for a class that a checkpoint names (hyper-parameters, mostly): built, and never run."""

    def __new__(cls, *args: object, **kwargs: object) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def restore_weights(module: nn.Module, checkpoint: Path) -> None:
    """Load a Lightning checkpoint into a module as `Trainer.validate(ckpt_path=...)` does, and set it to evaluation.

    The module's own `on_load_checkpoint` is called, its `strict_loading` holds, parts may be compiled or not.

    Raises:
        EvaluationError: the checkpoint is missing, cannot be read safely, or does not fit the module.
    """
    if not checkpoint.is_file():
        raise EvaluationError(f"Expected trained weights in {checkpoint}; there are none. Train the version first.")
    content = {**read_checkpoint(checkpoint)}
    if not isinstance(content.get("state_dict"), Mapping):
        raise EvaluationError(
            f"Expected a Lightning checkpoint with a state_dict in {checkpoint}, got none. "
            "Save it with ModelCheckpoint."
        )
    _hear_of_it(module, content, checkpoint)
    weights = _named_as(module, content["state_dict"])
    try:
        module.load_state_dict(weights, strict=getattr(module, "strict_loading", True))
    except RuntimeError as error:
        raise EvaluationError(
            f"{checkpoint} does not fit the model that its script builds: {shortened(str(error))}. What is made while "
            "it trains must be made again when it is loaded: in configure_model, or in on_load_checkpoint."
        ) from error
    module.eval()


def _hear_of_it(module: nn.Module, content: dict[str, Any], checkpoint: Path) -> None:
    hook = getattr(module, "on_load_checkpoint", None)
    if hook is None:
        return
    try:
        hook(content)
    except Exception as error:  # the script's own hook may raise anything
        reason = shortened(f"{type(error).__name__}: {error}")
        raise EvaluationError(
            f"on_load_checkpoint of the script cannot take {checkpoint}: {reason}. "
            "Objects that the checkpoint holds are not rebuilt: let the hook use plain values and tensors only."
        ) from error


def _named_as(module: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the module's own names, where one of both has compiled parts and the other has not."""
    own = {name.replace(_COMPILED, ""): name for name in module.state_dict()}
    return {own.get(name.replace(_COMPILED, ""), name): value for name, value in weights.items()}


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
    except (pickle.UnpicklingError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{checkpoint} holds objects that cannot be read safely ({', '.join(name for _, name in named)}): {error} "
            "Let save_hyperparameters() keep plain values only (`ignore=[...]` leaves out the rest)."
        ) from error


def plain_hyper_parameters(content: Mapping[str, Any]) -> dict[str, Any]:
    """Those hyper-parameters of a checkpoint that are plain values, and so can be given to a constructor again."""
    given = content.get("hyper_parameters", {})
    return {str(name): value for name, value in given.items() if _is_plain(value)} if isinstance(given, Mapping) else {}


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(key) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str | Tensor)


def _load(checkpoint: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return loaded
