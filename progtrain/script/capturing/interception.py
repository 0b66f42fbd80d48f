"""Running a file as `__main__`, with attributes of the packages that it imports replaced."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from typing import Any

#: Replaces an attribute until the script is left.
Replace = Callable[[Any, str, Any], None]
#: Name of a module -> called with it once it is imported, and with what replaces one of its attributes.
Patches = Mapping[str, Callable[[Any, Replace], None]]


def fit_replaced(fit: Callable[..., None]) -> Patches:
    """Patches that replace `Trainer.fit` in both of Lightning's packages: they are different classes.

    Args:
        fit: called with the method that it stands for, the trainer, and the method's own arguments.
    """

    def patch(module: Any, replace: Replace) -> None:
        original = module.Trainer.fit

        def instead(trainer: Any, *args: Any, **kwargs: Any) -> None:
            fit(original, trainer, *args, **kwargs)

        replace(module.Trainer, "fit", instead)

    return dict.fromkeys(("lightning.pytorch.trainer.trainer", "pytorch_lightning.trainer.trainer"), patch)


@contextmanager
def patched(patches: Patches) -> Iterator[Replace]:
    """Patch modules that are there, and others as soon as a script imports them; all is undone at the end.

    Yields:
        What replaces an attribute.
    """
    undo: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, name: str, value: Any) -> None:
        undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    watches = [_ImportWatch(name, partial(_patch, patch, replace)) for name, patch in patches.items()]
    for name, patch in patches.items():
        if name in sys.modules:
            patch(sys.modules[name], replace)
    sys.meta_path[:0] = watches
    try:
        yield replace
    finally:
        for watch in watches:
            sys.meta_path.remove(watch)
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)


def _patch(patch: Callable[[Any, Replace], None], replace: Replace, module: Any) -> None:
    patch(module, replace)


class _ImportWatch(MetaPathFinder):
    """Calls back when one module has been imported."""

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                run(module)
                self._then(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextmanager
def as_main(file: str, argv: list[str]) -> Iterator[types.ModuleType]:
    """`__main__`, `sys.argv` and `sys.path` as `python SCRIPT` has them; modules beside the script are let go after.

    Args:
        file: the script's absolute path.
        argv: its name and command line.

    Yields:
        The module to execute the script in.
    """
    folder = os.path.dirname(os.path.realpath(file))
    main = types.ModuleType("__main__")
    main.__file__ = file
    before = sys.modules["__main__"], sys.argv, list(sys.path)
    imported = set(sys.modules)
    sys.modules["__main__"], sys.argv = main, argv
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield main
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before
        for name in set(sys.modules) - imported:
            origin = str(getattr(sys.modules[name], "__file__", None))
            if origin.startswith(folder + os.sep) and "site-packages" not in origin:
                del sys.modules[name]


def from_script(trace: types.TracebackType | None, file: str) -> types.TracebackType | None:
    """A traceback as the script's own user would see it, without the frames that ran it."""
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace
