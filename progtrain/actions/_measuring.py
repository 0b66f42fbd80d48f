"""Telling what only measures from what trains, in a script's text."""

from __future__ import annotations

import ast
from typing import Final

from progtrain.script.reading.structure import ParsedScript

_STEPS: Final = ("validation_step", "test_step", "predict_step")


def measures(script: ParsedScript, node: ast.AST) -> bool:
    """Whether a node stands in a step that validates, tests or predicts."""
    function = script.within(node, ast.FunctionDef)
    return isinstance(function, ast.FunctionDef) and function.name in _STEPS
