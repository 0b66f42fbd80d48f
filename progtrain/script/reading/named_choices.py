"""What a script chooses by a name: an entry of a table, a branch of `if name == "relu"`, `getattr(nn, "ReLU")`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from progtrain.script.reading.following import Step, Unknown
from progtrain.script.reading.index import Index
from progtrain.script.reading.resolve import Origin, Resolver
from progtrain.script.reading.sites import Sites

_DEPTH: Final = 12


@dataclass(frozen=True)
class Alternative:
    """One thing that a name may stand for.

    Args:
        name: that stands for it.
        value: the expression that is chosen, or those of the branch that is.
        entry: of a table, its key; None for a branch.
    """

    name: str
    value: ast.AST
    entry: ast.expr | None = None


@dataclass(frozen=True)
class Choice:
    """A choice by name.

    Args:
        key: the expression of the name where it is asked by.
        origin: the literal that the name comes from, or why it is not known.
        alternatives: what may be chosen; empty for `getattr(nn, NAME)`.
        room: the full name of what has the attribute, "torch.nn"; empty for other choices.
    """

    key: ast.expr
    origin: Origin | Unknown
    alternatives: tuple[Alternative, ...]
    room: str = ""

    @property
    def name(self) -> str:
        """The name that is given; empty where it is not known."""
        value = self.origin.value if isinstance(self.origin, Origin) else ""
        return value if isinstance(value, str) else ""


def named_choices(index: Index) -> list[Choice]:
    """Every choice of a script.

    Args:
        index: of the script.
    """
    resolver = Resolver(index, Sites(index))
    return [*_lookups(index, resolver), *_branches(index, resolver)]


def _lookups(index: Index, resolver: Resolver) -> Iterator[Choice]:
    for node in ast.walk(index.tree):
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[room, key, *_]):
                pass
            case ast.Subscript(value=ast.Attribute(value=room, attr="__dict__"), slice=key):
                pass
            case ast.Subscript(value=ast.Call(func=ast.Name(id="vars"), args=[room]), slice=key):
                pass
            case ast.Subscript(value=table, slice=key) if isinstance(node.ctx, ast.Load):
                yield from _in_table(resolver, table, key)
                continue
            case ast.Call(func=ast.Attribute(value=table, attr="get" | "pop"), args=[key, *_]):
                yield from _in_table(resolver, table, key)
                continue
            case _:
                continue
        if name := index.qualified(room):
            yield Choice(key, resolver.trace(key), (), name)


def _in_table(resolver: Resolver, table: ast.expr, key: ast.expr) -> Iterator[Choice]:
    entries = _table(resolver, table)
    if entries is not None:
        named = [
            Alternative(entry.value, value, entry)
            for entry, value in zip(entries.keys, entries.values, strict=True)
            if isinstance(entry, ast.Constant) and isinstance(entry.value, str)
        ]
        if named:
            yield Choice(key, resolver.trace(key), tuple(named))


def _table(resolver: Resolver, table: ast.expr) -> ast.Dict | None:
    """The dictionary that an expression comes to, also in `nn.ModuleDict({...})`."""
    step = Step(table)
    for _ in range(_DEPTH):
        match step.expr:
            case ast.Dict() | ast.Call(args=[ast.Dict()]):
                return step.expr if isinstance(step.expr, ast.Dict) else _first_dict(step.expr)
        following = resolver.step(step.expr, step.context)
        if isinstance(following, Unknown):
            return None
        step = following
    return None


def _first_dict(call: ast.expr) -> ast.Dict | None:
    given = call.args[0] if isinstance(call, ast.Call) else None
    return given if isinstance(given, ast.Dict) else None


def _branches(index: Index, resolver: Resolver) -> Iterator[Choice]:
    """Chains of `if name == "relu"`, one choice for all the comparisons of one expression in one function."""
    found: dict[tuple[object, str], tuple[ast.expr, list[Alternative]]] = {}
    for node in ast.walk(index.tree):
        for key, name, body in _compared(node):
            _, alternatives = found.setdefault((index.function(node), ast.dump(key)), (key, []))
            alternatives.append(Alternative(name, body))
    for key, alternatives in found.values():
        yield Choice(key, resolver.trace(key), tuple(alternatives))


def _compared(node: ast.AST) -> Iterator[tuple[ast.expr, str, ast.AST]]:
    match node:
        case ast.If(test=test, body=body):
            chosen: ast.AST = ast.Module(body, [])
        case ast.IfExp(test=test, body=chosen):
            pass
        case ast.Match(subject=key, cases=cases):
            for case in cases:
                match case.pattern:
                    case ast.MatchValue(value=ast.Constant(value=str(name))):
                        yield key, name, ast.Module(case.body, [])
            return
        case _:
            return
    match test:
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.Eq()], comparators=[key]):
            yield key, name, chosen
        case ast.Compare(left=key, ops=[ast.Eq()], comparators=[ast.Constant(value=str(name))]):
            yield key, name, chosen
