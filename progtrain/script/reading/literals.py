"""The value of a literal, and of arithmetic over values that come from literals."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from progtrain.script.reading.following import Unknown

_OPERATIONS: Final[dict[type[ast.operator], Callable[[float, float], complex]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LARGEST: Final = 1e12
_LARGEST_EXPONENT: Final = 64
_UNFOLLOWED: Final = "it is computed in a way that is not followed"


@dataclass(frozen=True)
class Literal:
    """A value found in the source.

    Args:
        value: tuples as lists.
        leaves: the literals it is made of.
        trail: the references followed to reach them.
    """

    value: JsonValue
    leaves: tuple[ast.expr, ...]
    trail: tuple[ast.expr, ...] = ()


#: Follows an operand to its literal.
Follow = Callable[[ast.expr], Literal | Unknown]


def literal(node: ast.expr, follow: Follow) -> Literal | Unknown | None:
    """The value of a literal or of arithmetic; None for an expression that stands for another one."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return Literal(value, (node,))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _signed(node, follow)
        case ast.BinOp():
            return _arithmetic(node, follow)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return _sequence(node, parts, follow)
    return None


def _signed(node: ast.UnaryOp, follow: Follow) -> Literal | Unknown:
    inner = follow(node.operand)
    if isinstance(inner, Unknown) or not isinstance(inner.value, int | float):
        return Unknown(node, _UNFOLLOWED)
    value = -inner.value if isinstance(node.op, ast.USub) else inner.value
    return Literal(value, (node,) if isinstance(node.operand, ast.Constant) else inner.leaves, inner.trail)


def _arithmetic(node: ast.BinOp, follow: Follow) -> Literal | Unknown:
    left, right, operation = follow(node.left), follow(node.right), _OPERATIONS.get(type(node.op))
    if isinstance(left, Unknown) or isinstance(right, Unknown) or operation is None:
        return Unknown(node, _UNFOLLOWED)
    if not isinstance(left.value, int | float) or not isinstance(right.value, int | float):
        return Unknown(node, _UNFOLLOWED)
    if isinstance(node.op, ast.Pow) and (abs(right.value) > _LARGEST_EXPONENT or abs(left.value) > _LARGEST):
        return Unknown(node, _UNFOLLOWED)
    try:
        value = operation(left.value, right.value)
    except ArithmeticError:
        return Unknown(node, _UNFOLLOWED)
    if not isinstance(value, int | float):  # a root of a negative number is complex
        return Unknown(node, _UNFOLLOWED)
    return Literal(value, (*left.leaves, *right.leaves), (*left.trail, *right.trail))


def _sequence(node: ast.expr, parts: list[ast.expr], follow: Follow) -> Literal | Unknown:
    found: list[Literal] = []
    for part in parts:
        inner = follow(part)
        if isinstance(inner, Unknown):
            return Unknown(node, "not all of its elements are literals")
        found.append(inner)
    return Literal(
        [inner.value for inner in found],
        (node, *(leaf for inner in found for leaf in inner.leaves)),
        tuple(reference for inner in found for reference in inner.trail),
    )
