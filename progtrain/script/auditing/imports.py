"""How a patch names what it needs from a library, and the imports that it takes."""

from __future__ import annotations

import ast
import sys
from typing import Final

from progtrain.script.auditing.calls import is_lightning
from progtrain.script.editing.edit import add_import, reference
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_LONGEST_PATH: Final = 2
"""Dots in `pl.callbacks.ModelCheckpoint`, which people write; what takes more is imported."""


def written(script: ParsedScript, dotted: str) -> str:
    """How the script's author would name a class of Lightning.

    Args:
        script: the script.
        dotted: full name of the class, in the script's own Lightning package.
    """
    name = dotted.rpartition(".")[2]
    if is_lightning(script.dotted(ast.Name(id=name)), name):
        return name
    expression = reference(script.source, dotted)[1]
    return name if expression.count(".") > _LONGEST_PATH and not script.defines(name) else expression


def with_import(source: str, script: ParsedScript, dotted: str) -> str:
    """The patched source with the import that a name takes, where it takes one.

    Args:
        source: patched.
        script: before the patch.
        dotted: a module of the standard library, or the full name of a class of Lightning.
    """
    module, _, name = dotted.rpartition(".")
    if not module:
        return _with_module(source, dotted)
    if written(script, dotted) != name or is_lightning(script.dotted(ast.Name(id=name)), name):
        return source
    return add_import(source, module, name)


def _with_module(source: str, module: str) -> str:
    """`import json` among the imports of the standard library, else before all others."""
    script = ParsedScript(source)
    imports = _first_run(script.tree.body)
    first = [each for each in imports if _package(each) != "__future__"][:1]
    if not first or script.dotted(ast.Name(id=module)) != module or script.defines(f"{module}."):
        return add_import(source, module)
    if any(isinstance(each, ast.Import) and module in (alias.name for alias in each.names) for each in imports):
        return source
    standard = [
        each for each in imports if _package(each) in sys.stdlib_module_names and _package(each) != "__future__"
    ]
    before = [each for each in standard if isinstance(each, ast.Import) and _package(each) < module]
    if before:
        end = script.line_end(script.end(before[-1]))
        return rebuild(source, [Edit(end, end, f"\nimport {module}")])
    start = script.start((standard or first)[0])
    return rebuild(source, [Edit(start, start, f"import {module}\n" + ("" if standard else "\n"))])


def _first_run(body: list[ast.stmt]) -> list[ast.Import | ast.ImportFrom]:
    """The imports up to the first statement that is none, apart from a docstring."""
    run: list[ast.Import | ast.ImportFrom] = []
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            run.append(statement)
        elif run:
            break
    return run


def _package(statement: ast.Import | ast.ImportFrom) -> str:
    name = statement.module or "" if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return name.partition(".")[0]
