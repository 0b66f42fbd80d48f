"""Running a file as `__main__` with `Trainer.fit` replaced."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import Any, Final

from lightning.pytorch.trainer import trainer as lightning_trainer

_OTHER_TRAINER: Final = "pytorch_lightning.trainer.trainer"


@contextmanager
def fit_replaced(fit: Callable[..., None]) -> Iterator[None]:
    """Replace `Trainer.fit` in both of Lightning's packages: they are different classes.

    `pytorch_lightning` takes seconds to import, and is replaced when the script does so.

    Args:
        fit: called with the method that it stands for, the trainer, and the method's own arguments.
    """
    replaced: list[tuple[Any, Any]] = []

    def replace(module: Any) -> None:
        original = module.Trainer.fit

        def instead(trainer: Any, *args: Any, **kwargs: Any) -> None:
            fit(original, trainer, *args, **kwargs)

        replaced.append((module.Trainer, original))
        module.Trainer.fit = instead

    replace(lightning_trainer)
    finder = _ImportWatch(_OTHER_TRAINER, replace)
    if _OTHER_TRAINER in sys.modules:
        replace(sys.modules[_OTHER_TRAINER])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for trainer, original in replaced:
            trainer.fit = original


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
