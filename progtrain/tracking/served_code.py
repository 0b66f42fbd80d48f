"""The module of a model saved as its script: this file is copied into the model and stands without progtrain."""

from __future__ import annotations

import argparse
import collections
import contextlib
import enum
import functools
import importlib
import pathlib
import pickle
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

WEIGHTS_FILE = "best.ckpt"
_COMPILED = "_orig_mod."
#: Classes of which objects hold values or weights, and do nothing when they are read.
_KINDS = (nn.Module, torch.optim.Optimizer, enum.Enum, pathlib.PurePath, np.generic, np.ndarray, np.dtype)
_PLAIN = (
    *(argparse.Namespace, types.SimpleNamespace, functools.partial, collections.defaultdict),
    *(dict, list, tuple, set, frozenset, bool, int, float, str, Any),  # a configuration names them as types of fields
)


def rebuild(folder: Path, script: str, kind: str, dtype: torch.dtype | None) -> nn.Module:
    """The module, in evaluation mode.

    Args:
        folder: has the script, the modules beside it that it imports, and best.ckpt with weights and arguments.
        script: its file name.
        kind: the module's class, with the name of its module in front.
        dtype: of its weights; None for that which it is built with.

    Raises:
        TypeError: an argument of its constructor cannot be made again.
    """
    names = _names_of(folder / script, kind)
    content = _content(folder / WEIGHTS_FILE, names, folder)
    module: nn.Module = _found(kind, names)(**content["arguments"])
    hooks: Any = module
    if hasattr(module, "configure_model"):
        hooks.configure_model()
    module = module.to(dtype) if dtype is not None else module
    if hasattr(module, "on_load_checkpoint"):
        hooks.on_load_checkpoint(content)
    own = {name.replace(_COMPILED, ""): name for name in nn.Module.state_dict(module)}
    weights = {own.get(name.replace(_COMPILED, ""), name): value for name, value in content["state_dict"].items()}
    if any(_COMPILED in name for name in weights):
        torch.compiler.set_stance("force_eager")  # what answers single requests is not compiled first
    nn.Module.load_state_dict(module, weights)
    return module.eval()


def _content(checkpoint: Path, names: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What the checkpoint holds; of objects only those of the script's classes, and of kinds that do nothing."""
    named = torch.serialization.get_unsafe_globals_in_checkpoint(checkpoint)
    known: list[Any] = [(each, name) for name in named if (each := _known(name, names, folder)) is not None]
    known += [(each, f"numpy.dtypes.{each.__name__}") for each in vars(np.dtypes).values() if isinstance(each, type)]
    try:
        with torch.serialization.safe_globals(known):
            content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
            return content
    except (pickle.UnpicklingError, TypeError) as error:
        others = ", ".join(sorted(set(named) - {name for _, name in known})) or str(error)
        raise TypeError(
            f"The model's constructor is given objects that cannot be made again when it is served ({others}). Give it "
            "plain values, or objects of the script's own classes."
        ) from error


def _known(full: str, names: Mapping[str, Any], folder: Path) -> Any:
    """What a checkpoint calls by this name, where it may be used; None where not. Nothing is imported for it."""
    try:
        found = _found(full, names)
    except (AttributeError, KeyError):
        return None
    module = full.rpartition(".")[0]
    top = module.partition(".")[0]
    if module == "__main__" or (folder / top).is_dir() or (folder / f"{top}.py").is_file():
        return found  # its code has run
    if module.startswith("omegaconf.") or found in _PLAIN or module == "torch.nn.functional":
        return found
    if module.startswith("numpy.") and full.endswith((".multiarray._reconstruct", ".multiarray.scalar")):
        return found
    return found if isinstance(found, type) and issubclass(found, _KINDS) else None


def _found(full: str, names: Mapping[str, Any]) -> Any:
    module, _, name = full.rpartition(".")
    return names[name] if module == "__main__" else getattr(sys.modules[module], name)


class _ReachedError(Exception):
    """The script came to its training, which is not wanted here."""


@contextlib.contextmanager
def _untrained(packages: Sequence[str]) -> Iterator[None]:
    """Trainer.fit ends the script instead of training."""

    def fit(*args: Any, **kwargs: Any) -> None:
        raise _ReachedError

    trainers: list[Any] = [importlib.import_module(name).Trainer for name in packages]
    before = [trainer.fit for trainer in trainers]
    try:
        for trainer in trainers:
            trainer.fit = fit
        yield
    finally:
        for trainer, own in zip(trainers, before, strict=True):
            trainer.fit = own


def _names_of(script: Path, kind: str) -> dict[str, Any]:
    """The script's names, its training left out; it can import the modules of its folder."""
    source = script.read_text(encoding="utf-8")
    module = types.ModuleType(f"served {script}")
    sys.modules[module.__name__] = module  # where dataclasses look for what annotations name
    names = vars(module)
    names["__file__"] = str(script)
    sys.path.insert(0, str(script.parent))
    packages = ["lightning.pytorch", *(["pytorch_lightning"] if "pytorch_lightning" in source else [])]
    try:
        with _untrained(packages), contextlib.suppress(_ReachedError):
            exec(compile(source, str(script), "exec"), names)
    except Exception:
        if kind.rpartition(".")[0] == "__main__" and kind.rpartition(".")[2] not in names:
            raise  # else it is what comes after its classes, as reading data that are not here
    finally:
        sys.path.remove(str(script.parent))
    return names
