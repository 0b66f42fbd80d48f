"""The words that resolving is told in: a step from a reference to what it stands for, or why there is none."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from progtrain.script.reading.sites import Spread

#: Which call of a function is meant, where it has several.
Context = Mapping[ast.AST, ast.Call]


@dataclass(frozen=True)
class Step:
    """One indirection taken: the expression that a value comes from, and what to call that place."""

    expr: ast.expr
    where: str = ""
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Unknown:
    """A value whose origin was not found: how far it was followed, and why no further."""

    node: ast.expr
    reason: str


class Missing(Unknown):
    """The holder is understood, and has no such member."""


@dataclass(frozen=True)
class Wanted:
    """A parameter or field whose value is looked for.

    Args:
        name: of it.
        title: of the function or class that has it.
        context: of the reference to it.
    """

    name: str
    title: str
    context: Context


class Follower(Protocol):
    """What following members of objects needs of the resolver."""

    def step(self, node: ast.expr, context: Context) -> Step | Unknown:
        """One indirection."""
        ...

    def supplied(
        self, given: Sequence[ast.expr | Spread | None], default: Step | None, node: ast.expr, wanted: Wanted
    ) -> Step | Unknown:
        """What reaches a parameter or field: the one thing that is given for it, else its default."""
        ...
