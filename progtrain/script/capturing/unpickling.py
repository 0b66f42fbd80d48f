"""The pickle of a checkpoint, read without running anything that it names: what is no tensor and no value is inert."""

from __future__ import annotations

import argparse
import pickle
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch._weights_only_unpickler import _get_allowed_globals

#: (module, qualified name) -> the class of the running script that a checkpoint names so; None where it is not one.
Own = Callable[[str, str], type | None]


class Inert:
    """Stands for an object of a class that a checkpoint names: called and filled, without any effect."""

    def __new__(cls, *args: object, **kwargs: object) -> Inert:
        """Take anything."""
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        """What a class that derives from list is filled by."""

    extend = add = append


def read(checkpoint: Path, own: Own) -> Any:
    """Read a file that `torch.save` wrote, onto the CPU.

    Tensors are as torch itself reads them where only weights are allowed; arrays, paths and namespaces are built.

    Args:
        checkpoint: the file.
        own: which classes are built besides, with their own code.

    Raises:
        pickle.UnpicklingError: it does what no checkpoint does.
        RuntimeError: it is torn.
    """
    reader = type("Reader", (_Reader,), {"own": staticmethod(own)})
    module = types.SimpleNamespace(Unpickler=reader, __name__=__name__)
    return torch.load(checkpoint, map_location="cpu", weights_only=False, pickle_module=module)


def _plain() -> dict[str, Any]:
    made_by = {"_reconstruct": np.zeros(0).__reduce__()[0], "scalar": np.float64(0).__reduce__()[0]}
    arrays = {f"numpy.{core}.multiarray.{name}": made_by[name] for core in ("_core", "core") for name in made_by}
    paths = dict.fromkeys(("pathlib.PosixPath", "pathlib._local.PosixPath"), Path)
    stated = {f"{kind.__module__}.{kind.__name__}": kind for kind in _STATED}
    return {**arrays, **paths, **stated, "torch._tensor._rebuild_from_type_v2": _without_its_class}


def _without_its_class(build: Callable[..., Any], kind: object, arguments: tuple[Any, ...], state: object) -> Any:
    """A tensor of a class derived from Tensor is a plain one here."""
    return build(*arguments)


#: Classes of values that are given a state.
_STATED: Final = (np.ndarray, np.dtype, argparse.Namespace)
_PLAIN: Final = _plain()


#: The one in Python, whose steps can be replaced.
_Python: Any = pickle._Unpickler


class _Reader(_Python):  # type: ignore[misc]
    """Knows the functions that build tensors and nothing else that could be called."""

    own: Own

    def find_class(self, module: str, name: str) -> Any:
        """What a checkpoint calls `module`.`name`, or something inert in its place."""
        module = "builtins" if module == "__builtin__" else module  # as the second protocol calls it
        full = f"{module}.{name}"
        if full == "builtins.getattr":
            return self._within
        return _PLAIN.get(full) or _get_allowed_globals().get(full) or type(self).own(module, name) or Inert

    def _within(self, owner: object, name: str) -> type:
        """A class within another."""
        known = isinstance(owner, type) and type(self).own(owner.__module__, f"{owner.__qualname__}.{name}")
        return known or Inert

    def load_build(self) -> None:
        """Give an object its state; torch's own and what may be called have none to be given."""
        made = self.stack[-2]
        kind = type(made)
        if isinstance(made, Inert):
            self.stack.pop()
        elif kind is OrderedDict:  # of a state_dict, which has `_metadata`
            made.__dict__.update(self.stack.pop())
        elif isinstance(made, _STATED) or type(self).own(kind.__module__, kind.__qualname__) is kind:
            super().load_build()
        else:
            raise pickle.UnpicklingError(f"Expected no state for {kind.__name__}, got some.")

    dispatch = {**_Python.dispatch, pickle.BUILD[0]: load_build}
