"""What a script logs that the best checkpoint can be chosen by."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from progtrain.script.auditing.calls import strings
from progtrain.script.reading.structure import ParsedScript

_VALID_LOSSES: Final = (
    re.compile(r"(val|valid|validation)[_/.-](\w+[_/.-])?loss|loss[_/.-](val|valid|validation)"),
    re.compile(r"(val|valid|validation)[_/.-](nll|mse|bce|ce)|(nll|mse|bce|ce)[_/.-](val|valid|validation)"),
)
_SPLITS: Final = ("val", "valid", "validation")


def valid_loss(script: ParsedScript) -> str | None:
    """The validation loss by the name it is logged under: written out, or as `f"{stage}_loss"` with its stages."""
    names = [*strings(script), *_composed(script)]
    return next((text for form in _VALID_LOSSES for text in names if form.fullmatch(text.lower())), None)


def _composed(script: ParsedScript) -> Iterator[str]:
    splits = [text for text in strings(script) if text in _SPLITS]
    for node in ast.walk(script.tree):
        if not (isinstance(node, ast.JoinedStr) and isinstance(script.parent(node), ast.Call)):
            continue
        for split in splits:
            parts = (part.value if isinstance(part, ast.Constant) else split for part in node.values)
            yield "".join(str(part) for part in parts)
