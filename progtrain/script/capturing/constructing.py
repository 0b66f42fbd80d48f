"""With which arguments a script builds its modules."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from progtrain.script.capturing.interception import Replace, patched

_MODULES: Final = ("lightning.pytorch.core.module", "pytorch_lightning.core.module")


@contextmanager
def constructions() -> Iterator[Mapping[int, Mapping[str, Any]]]:
    """Note the arguments of every LightningModule that is built meanwhile.

    Yields:
        By the `id` of the module; what came by position stands under its name.
    """
    noted: dict[int, Mapping[str, Any]] = {}

    def patch(module: Any, replace: Replace) -> None:
        original = module.LightningModule.__init__

        @functools.wraps(original)
        def instead(self: Any, *args: Any, **kwargs: Any) -> None:
            noted[id(self)] = _arguments(self, sys._getframe(1))
            original(self, *args, **kwargs)

        replace(module.LightningModule, "__init__", instead)

    with patched(dict.fromkeys(_MODULES, patch)):
        yield noted


def _arguments(module: object, frame: types.FrameType | None) -> Mapping[str, Any]:
    """Those of the outermost `__init__`, which is that of the module's own class."""
    found: dict[str, Any] = {}
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__init__" and code.co_argcount and frame.f_locals.get(code.co_varnames[0]) is module:
            told = inspect.getargvalues(frame)
            found = {name: told.locals[name] for name in told.args[1:] if name in told.locals}
            found |= told.locals[told.keywords] if told.keywords else {}
        frame = frame.f_back
    return found
