"""Checkpoints read without running what they carry, and put into a captured module as Lightning would."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.errors import EvaluationError, shortened
from progtrain.script.capturing.unpickling import Own, read

_COMPILED: Final = "_orig_mod."
_OF_THE_TRAINING: Final = frozenset({"state_dict", "loops", "callbacks", "optimizer_states", "lr_schedulers"})


def restore_weights(module: nn.Module, checkpoint: Path, datamodule: Any = None) -> None:
    """Load a Lightning checkpoint into a module as `Trainer.validate(ckpt_path=...)` does, and set it to evaluation.

    The module's own `on_load_checkpoint` is called, its `strict_loading` holds, parts may be compiled or not. Objects
    of the script's own classes are rebuilt for it, where the script runs as `__main__` of this process.

    Args:
        module: set up as its training was.
        checkpoint: the file.
        datamodule: is given its state as well, where the checkpoint has one.

    Raises:
        EvaluationError: the checkpoint is missing, cannot be read safely, or does not fit the module.
    """
    if not checkpoint.is_file():
        raise EvaluationError(f"Expected trained weights in {checkpoint}; there are none. Train the version first.")
    content = {**read_checkpoint(checkpoint, _of_the_script)}
    if not isinstance(content.get("state_dict"), Mapping):
        raise EvaluationError(
            f"Expected a Lightning checkpoint with a state_dict in {checkpoint}, got none. "
            "Save it with ModelCheckpoint."
        )
    _call(getattr(module, "on_load_checkpoint", None), content, checkpoint)
    weights = _named_as(module, content["state_dict"])
    _make_room(module, weights)
    try:
        module.load_state_dict(weights, strict=getattr(module, "strict_loading", True))
    except RuntimeError as error:
        said = _unfit(module, weights) or shortened(" ".join(str(error).split())).rstrip(". ")
        raise EvaluationError(
            f"{checkpoint} does not fit the model that its script builds: {said}. What is made while it trains must be "
            "made again when it is loaded: in configure_model, or in on_load_checkpoint."
        ) from error
    if type(datamodule).__qualname__ in content:
        _call(datamodule.load_state_dict, content[type(datamodule).__qualname__], checkpoint)
    module.eval()


def rehearse_restoring(trainer: Any, module: nn.Module, datamodule: Any) -> None:
    """Save what is not trained yet as a checkpoint, and load it: whether a version can be measured is known at once.

    Where saving raises, as a hook may that expects trained things, nothing is known, and nothing is said.

    Raises:
        EvaluationError: as `restore_weights` would raise it after the training.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.ckpt"
        try:
            torch.save(trainer._checkpoint_connector.dump_checkpoint(weights_only=False), path)
        except Exception:  # noqa: BLE001 - the script's own hooks may raise anything
            return
        try:
            restore_weights(module, path, datamodule)
        except EvaluationError as error:
            said = str(error).replace(str(path), "best.ckpt")
            raise EvaluationError(f"What would be trained could not be measured: {said}") from error


def _of_the_script(module: str, name: str) -> type | None:
    """A class of the script that runs here, or of a module beside it: its code has run in this process already."""
    script, file = (getattr(sys.modules.get(each), "__file__", None) for each in ("__main__", module))
    if script is None or file is None or "site-packages" in file:
        return None
    if not os.path.realpath(file).startswith(os.path.dirname(os.path.realpath(script)) + os.sep):
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) and found.__module__ == module else None


def _call(hook: Any, content: Any, checkpoint: Path) -> None:
    if hook is None:
        return
    try:
        hook(content)
    except Exception as error:  # the script's own hook may raise anything
        reason = shortened(f"{type(error).__name__}: {error}")
        raise EvaluationError(
            f"{hook.__name__} of the script cannot take {checkpoint}: {reason}. Of the objects in a checkpoint only "
            "tensors, arrays, plain values and those of the script's own classes are rebuilt: let the hook use these."
        ) from error


def _named_as(module: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the module's own names, where one of both has compiled parts and the other has not."""
    own = {name.replace(_COMPILED, ""): name for name in module.state_dict()}
    return {own.get(name.replace(_COMPILED, ""), name): value for name, value in weights.items()}


def _make_room(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Buffers that the training gave their first value, or another shape, are made as the checkpoint has them."""
    for prefix, part in module.named_modules():
        for name, buffer in part._buffers.items():
            value = weights.get(f"{prefix}.{name}" if prefix else name)
            if isinstance(value, Tensor) and (buffer is None or _is_other(buffer, value)):
                part._buffers[name] = torch.empty_like(value, device=getattr(module, "device", None))


def _unfit(module: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """What the checkpoint and the module have each for itself, or in other shapes."""
    own = module.state_dict()
    others = [name for name in own.keys() & weights.keys() if _is_other(own[name], weights[name])]
    found = {
        "only the checkpoint has": weights.keys() - own.keys(),
        "only the model has": own.keys() - weights.keys(),
        "other shapes:": [f"{name} {list(weights[name].shape)} for {list(own[name].shape)}" for name in others],
    }
    return "; ".join(f"{said} {shortened(', '.join(sorted(names)))}" for said, names in found.items() if names)


def _is_other(own: Any, value: Any) -> bool:
    """Whether two weights differ in shape; one that has none yet takes any."""
    both = isinstance(own, Tensor) and isinstance(value, Tensor)
    return both and not nn.parameter.is_lazy(own) and own.shape != value.shape


def read_checkpoint(checkpoint: Path, own: Own = lambda module, name: None) -> Mapping[str, Any]:
    """What a Lightning checkpoint holds; objects that are no tensors or plain values stand there inert.

    Args:
        checkpoint: the file.
        own: which classes' objects are rebuilt all the same.

    Raises:
        EvaluationError: it is not whole, or cannot be read safely.
    """
    try:
        loaded: Mapping[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        return loaded
    except pickle.UnpicklingError:
        pass  # it names classes that torch does not know to be safe
    except (RuntimeError, OSError, EOFError) as error:
        raise EvaluationError(f"{checkpoint} is not a whole checkpoint: {error}. Train the version again.") from error
    try:
        loaded = read(checkpoint, own)
    except Exception as error:  # a pickle can be wrong, and a class of the script's own raise, in any way
        raise EvaluationError(
            f"{checkpoint} holds objects that cannot be read safely: {shortened(f'{type(error).__name__}: {error}')}. "
            "Let save_hyperparameters() keep plain values only (`ignore=[...]` leaves out the rest)."
        ) from error
    return loaded


def plain_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """What of a checkpoint is plain and none of the training's own: what a module's hook can be given again."""
    return {key: value for key, value in content.items() if key not in _OF_THE_TRAINING and _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(key) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str | Tensor)
