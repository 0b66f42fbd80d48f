"""Lightning is imported by both of its names, whose classes do not know each other."""

from __future__ import annotations

import ast
import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_OLD, _NEW = "pytorch_lightning", "lightning.pytorch"


class MixedPackages(Repair):
    """Import everything from `lightning.pytorch`."""

    signs = re.compile(
        r"must be a `LightningModule` or `torch\._dynamo\.OptimizedModule`, got"
        r"|Found more than one stateful callback of type `ModelCheckpoint`|No module named 'pytorch_lightning'"
    )
    cause = "lightning.pytorch and pytorch_lightning are two packages, and classes of one are not those of the other"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        edits: list[Edit] = []
        for node in ast.walk(script.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _OLD:
                start = script.source.index(_OLD, script.start(node))
                edits.append(Edit(start, start + len(_OLD), _NEW))
            elif isinstance(node, ast.Import):
                edits += [_imported(script, alias) for alias in node.names if alias.name.split(".")[0] == _OLD]
        if not edits:
            raise EditError(f"Expected an import of {_OLD}, found none.")
        return rebuild(source, edits), f"{_NEW} is imported, in place of {_OLD}"


def _imported(script: ParsedScript, alias: ast.alias) -> Edit:
    if alias.asname is None:
        raise EditError(f"Line {alias.lineno}: expected `import {_OLD} as` a name. Import {_NEW} by that name.")
    start = script.start(alias)
    return Edit(start, start + len(_OLD), _NEW)
