"""Where a script trains, and how lines are put before and behind that."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from progtrain.script.auditing.calls import calls_of
from progtrain.script.reading.structure import Edit, ParsedScript, argument

TRAINER: Final = "<trainer>"
"""Stands for the Trainer in lines that are to be run at a site."""
MODEL_CLASS: Final = "<model class>"
"""Stands for the name of the model's class, as an expression."""
_NAME: Final = "trainer"


@dataclass(frozen=True)
class Site(ABC):
    """A place where the script trains."""

    script: ParsedScript

    @property
    @abstractmethod
    def line(self) -> int:
        """Of the script, from 1."""

    @abstractmethod
    def edits(self, before: Sequence[str], after: Sequence[str]) -> tuple[Edit, ...]:
        """The edits that run `before` just before the training and `after` just after it."""

    @abstractmethod
    def define(self, function: str) -> Edit:
        """The edit that defines a function which the lines call."""


@dataclass(frozen=True)
class FitStatement(Site):
    """`trainer.fit(...)` as a statement: alone, returned, or assigned.

    Args:
        call: of fit.
        statement: that consists of it.
    """

    call: ast.Call
    statement: ast.Expr | ast.Return | ast.Assign

    @property
    def line(self) -> int:
        """See Site."""
        return self.call.lineno

    def define(self, function: str) -> Edit:
        """See Site."""
        return definition(self.script, self.statement, function)

    def edits(self, before: Sequence[str], after: Sequence[str]) -> tuple[Edit, ...]:
        """See Site."""
        before, after = (
            tuple(line.replace(MODEL_CLASS, self._model_class()) for line in part) for part in (before, after)
        )
        first, last = self._lines(before), self._lines(after)
        if not self._is_named() and any(TRAINER in line for line in (*before, *after)):
            return (*self._named(first), *self._behind(last))
        start = self.script.start(self.statement)
        indentation = self.script.indentation(start)
        ahead = [Edit(start, start, "".join(f"{line}\n{indentation}" for line in first))] if first else []
        return (*ahead, *self._not_returned(last), *self._behind(last))

    def _lines(self, lines: Sequence[str]) -> list[str]:
        trainer = self.script.text(self._owner()) if self._is_named() else self._free_name()
        return [line.replace(TRAINER, trainer) for line in lines]

    def _owner(self) -> ast.expr:
        assert isinstance(self.call.func, ast.Attribute)
        return self.call.func.value

    def _is_named(self) -> bool:
        return isinstance(self._owner(), ast.Name | ast.Attribute)

    def _free_name(self) -> str:
        return _NAME if not self.script.defines(_NAME) else f"lightning_{_NAME}"

    def _model_class(self) -> str:
        model = argument(self.call, 0, "model")
        if isinstance(model, ast.Name | ast.Attribute):
            return f"type({self.script.text(model)}).__name__"
        return f"type({TRAINER}.lightning_module).__name__"

    def _named(self, before: list[str]) -> tuple[Edit, Edit]:
        """`trainer = Trainer(...)` and `trainer.fit(...)` of `Trainer(...).fit(...)`."""
        script, name = self.script, self._free_name()
        start, called = script.start(self.statement), script.start(self.call)
        prefix = "" if isinstance(self.statement, ast.Return) else script.source[start:called]
        end, fit = script.end(self._owner()), script.end(self.call.func) - len("fit")
        lines = "".join(f"\n{script.indentation(start)}{line}" for line in [*before, f"{prefix}{name}."])
        return Edit(start, called, f"{name} = "), Edit(end, fit, lines)

    def _not_returned(self, after: list[str]) -> tuple[Edit, ...]:
        """`fit` returns None, and nothing behind a return is run."""
        if not after or not isinstance(self.statement, ast.Return):
            return ()
        return (Edit(self.script.start(self.statement), self.script.start(self.call), ""),)

    def _behind(self, after: list[str]) -> tuple[Edit, ...]:
        if not after:
            return ()
        script = self.script
        if isinstance(self.statement, ast.Return) and not self._ends_function():
            after = [*after, "return"]
        start, end = script.start(self.statement), script.line_end(script.end(self.statement))
        return (Edit(end, end, "".join(f"\n{script.indentation(start)}{line}" for line in after)),)

    def _ends_function(self) -> bool:
        around = self.script.parent(self.statement)
        return isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef) and around.body[-1] is self.statement


def fit_statements(script: ParsedScript) -> tuple[FitStatement, ...]:
    """Every statement that trains; empty where the call is part of something larger, or there is none."""
    found = []
    for call in fit_calls(script):
        statement = script.parent(call)
        if isinstance(statement, ast.Expr | ast.Return | ast.Assign) and _stands_alone(script, statement):
            found.append(FitStatement(script, call, statement))
    return tuple(found) if len(found) == len(fit_calls(script)) else ()


def fit_calls(script: ParsedScript) -> list[ast.Call]:
    """Every `trainer.fit(...)`, in source order; the fit of a scaler is none."""
    calls = [call for call in script.calls() if isinstance(call.func, ast.Attribute) and call.func.attr == "fit"]
    makers = {"Trainer", *_makers(script)}
    names = _names_of_trainers(script, makers)
    found = [call for call in calls if _is_trainer(script, call, makers, names)]
    own = [call for call in calls if "super" not in script.called(call.func.value)]  # type: ignore[attr-defined]
    return sorted(found or (own if len(own) == 1 else []), key=script.start)


def definition(script: ParsedScript, inner: ast.stmt | ast.expr, function: str) -> Edit:
    """The edit that defines a function for `inner`: before the definition around it, else behind the last one.

    Args:
        script: the script.
        inner: a statement or an expression that calls the function.
        function: its text, without blank lines around it.
    """
    position = next(
        index for index, each in enumerate(script.tree.body) if each.lineno <= inner.lineno <= (each.end_lineno or 0)
    )
    outer = script.tree.body[position]
    above = [each for each in script.tree.body[:position] if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    if above and not isinstance(outer, ast.FunctionDef | ast.ClassDef) and not _is_main_guard(outer):
        end = script.line_end(script.end(above[-1]))
        return Edit(end, end, f"\n\n\n{function}")
    begin = _before(script, outer)
    ahead = script.source[:begin]
    blank = len(ahead) - len(ahead.rstrip("\n")) - 1 if ahead.strip() else 2
    return Edit(begin, begin, "\n" * max(2 - blank, 0) + f"{function}\n\n\n")


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _before(script: ParsedScript, outer: ast.stmt) -> int:
    """Where a top-level statement begins, its decorators and comments included."""
    decorators = outer.decorator_list if isinstance(outer, ast.FunctionDef | ast.ClassDef) else []
    lines = script.source.splitlines(keepends=True)
    first = min([outer.lineno, *(each.lineno for each in decorators)]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return len("".join(lines[:first]))


def _stands_alone(script: ParsedScript, statement: ast.stmt) -> bool:
    end = script.end(statement)
    behind = script.source[end : script.line_end(end)].strip()
    return script.begins_line(statement) and not behind.startswith((";", ")"))


def _makers(script: ParsedScript) -> set[str]:
    """Functions of the script that return a Trainer."""
    made = set(calls_of(script, "Trainer"))
    returns = (node for node in ast.walk(script.tree) if isinstance(node, ast.Return) and node.value in made)
    around = (script.within(node, ast.FunctionDef) for node in returns)
    return {function.name for function in around if isinstance(function, ast.FunctionDef)}


def _names_of_trainers(script: ParsedScript, makers: set[str]) -> set[str]:
    names = set()
    trainers = calls_of(script, "Trainer")
    for node in ast.walk(script.tree):
        match node:
            case ast.Assign(targets=targets, value=ast.Call() as call):
                if call in trainers or script.called(call) in makers:
                    names |= {script.text(target) for target in targets}
            case ast.AnnAssign(target=target, value=ast.Call() as call) | ast.NamedExpr(target=target, value=call):
                if call in trainers or script.called(call) in makers:
                    names.add(script.text(target))
    return names


def _is_trainer(script: ParsedScript, call: ast.Call, makers: set[str], names: set[str]) -> bool:
    assert isinstance(call.func, ast.Attribute)
    owner = call.func.value
    if isinstance(owner, ast.Call):
        return owner in calls_of(script, "Trainer") or script.called(owner) in makers
    return script.text(owner) in names or re.search(r"(^|[._])trainer$", script.text(owner)) is not None
