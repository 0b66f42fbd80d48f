"""Which branch of a script's own settings is taken: what a function returns, and an attribute is, by a name."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pydantic import JsonValue

from progtrain.script.reading.following import Context
from progtrain.script.reading.index import FunctionNode, Index
from progtrain.script.reading.resolve import Origin, Resolver


class Deciding:
    """Decides conditions that depend on literals alone.

    Args:
        index: of the script.
        resolver: of the same.
    """

    def __init__(self, index: Index, resolver: Resolver) -> None:
        self._index = index
        self._resolver = resolver

    def returned(self, function: ast.FunctionDef, context: Context) -> ast.expr | None:
        """What a call of a function returns; None where that is not known."""
        returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
        own = [node for node in returns if self._index.function(node) is function and node.value is not None]
        ordered = sorted(own, key=lambda node: node.lineno)
        taken = self._first(ordered, context)
        return taken.value if isinstance(taken, ast.Return) else None

    def assigned(self, stores: Iterable[tuple[ast.expr, ast.expr | None]], context: Context) -> ast.expr | None:
        """Which of several assignments in branches is made; None where that is not known."""
        values = {target: value for target, value in stores if value is not None}
        taken = self._first(sorted(values, key=lambda target: target.lineno), context)
        return values[taken] if isinstance(taken, ast.expr) and taken in values else None

    def branch(self, choice: ast.IfExp, context: Context) -> ast.expr | None:
        """Which side of `a if test else b` is taken; None where that is not known."""
        is_true = self._is_true(choice.test, context)
        return None if is_true is None else choice.body if is_true else choice.orelse

    def _first(self, nodes: Iterable[ast.expr | ast.Return], context: Context) -> ast.AST | None:
        for node in nodes:
            comes = self._comes_to(node, context)
            if comes or comes is None:
                return node if comes else None
        return None

    def _comes_to(self, node: ast.AST, context: Context) -> bool | None:
        """Whether a function comes to a node, by the conditions around it."""
        verdicts: list[bool | None] = []
        inner = node
        for outer in self._index.above(node):
            if isinstance(outer, FunctionNode):
                break
            if isinstance(outer, ast.If):
                is_true = self._is_true(outer.test, context)
                verdicts.append(is_true if inner in outer.body or is_true is None else not is_true)
            elif isinstance(outer, ast.match_case):
                verdicts.append(self._matches(outer, context))
            elif isinstance(outer, ast.For | ast.While | ast.Try | ast.With):
                verdicts.append(None)
            inner = outer
        return False if False in verdicts else None if None in verdicts else True

    def _matches(self, case: ast.match_case, context: Context) -> bool | None:
        match next(self._index.above(case), None), case.pattern, case.guard:
            case ast.Match(subject=subject), ast.MatchValue(value=ast.Constant(value=wanted)), None:
                known, value = self._value(subject, context)
                return value == wanted if known else None
            case ast.Match(), ast.MatchAs(pattern=None), None:
                return True
        return None

    def _is_true(self, test: ast.expr, context: Context) -> bool | None:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                is_true = self._is_true(operand, context)
                return None if is_true is None else not is_true
            case ast.BoolOp(op=operator, values=values):
                parts = [self._is_true(value, context) for value in values]
                deciding = isinstance(operator, ast.Or)
                return deciding if deciding in parts else None if None in parts else not deciding
            case ast.Compare(left=left, ops=[operation], comparators=[right]):
                (known, first), (also, second) = self._value(left, context), self._value(right, context)
                return _holds(operation, first, second) if known and also else None
        known, value = self._value(test, context)
        return bool(value) if known else None

    def _value(self, expression: ast.expr, context: Context) -> tuple[bool, JsonValue]:
        match expression:
            case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" | "strip" as method), args=[]):
                known, text = self._value(inner, context)
                return (True, getattr(text, method)()) if known and isinstance(text, str) else (False, None)
        origin = self._resolver.trace(expression, "", context)
        return (True, origin.value) if isinstance(origin, Origin) else (False, None)


def _holds(operation: ast.cmpop, first: JsonValue, second: JsonValue) -> bool | None:
    match operation:
        case ast.Eq() | ast.Is():
            return first == second
        case ast.NotEq() | ast.IsNot():
            return first != second
        case ast.In() if isinstance(second, list | str) and isinstance(first, str):
            return first in second
    return None
