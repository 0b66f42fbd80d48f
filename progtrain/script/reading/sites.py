"""Who calls what in a script, and which argument reaches which parameter."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from progtrain.script.reading.index import FunctionNode, Index


@dataclass(frozen=True)
class Spread:
    """A parameter that may be filled from `**mapping`; `mapping` is None for `*sequence`."""

    mapping: ast.expr | None


class Sites:
    """The calls of a script's own functions and classes.

    Args:
        index: of the script.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._calls: dict[ast.AST, list[ast.Call]] = defaultdict(list)
        for call in index.calls:
            if (target := self.target(call)) is not None:
                self._calls[target].append(call)

    def of(self, function: FunctionNode | ast.ClassDef) -> list[ast.Call]:
        """Calls that reach a function; for a class without an `__init__` of its own, its instantiations."""
        return self._calls[function]

    def target(self, call: ast.Call) -> FunctionNode | ast.ClassDef | None:
        """The function, `__init__` or class of this script that a call reaches."""
        match call.func:
            case ast.Name():
                made = self._index.definition(call.func)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                owner = self._index.owner(call)
                made = self.method(owner, name) if owner else None
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                owner = self._index.owner(call)
                above = [self.method(base, name) for base in self.bases(owner)] if owner else []
                made = above[0] if above else None
            case _:
                return None
        if isinstance(made, ast.ClassDef):
            return self.method(made, "__init__") or made
        return made if isinstance(made, FunctionNode) else None

    def bases(self, made: ast.ClassDef) -> list[ast.ClassDef]:
        """The base classes that the script itself defines, above the class as Python asks for."""
        found = (self._index.definition(base) for base in made.bases)
        return [base for base in found if isinstance(base, ast.ClassDef) and base.lineno < made.lineno]

    def method(self, made: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """A method of a class or of those it derives from in this script."""
        for binding in self._index.members(made).get(name, []):
            if isinstance(binding, ast.FunctionDef | ast.AsyncFunctionDef):
                return binding
        return next((found for base in self.bases(made) if (found := self.method(base, name))), None)

    def argument(self, call: ast.Call, function: FunctionNode, name: str) -> ast.expr | Spread | None:
        """What a call passes for a parameter of `function`; None where it leaves it to the default."""
        return passed(call, self._positional(function), name)

    def _positional(self, function: FunctionNode) -> Sequence[str]:
        names = [parameter.arg for parameter in [*function.args.posonlyargs, *function.args.args]]
        is_static = not isinstance(function, ast.Lambda) and any(
            isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in function.decorator_list
        )
        return names[1:] if isinstance(self._index.scope(function), ast.ClassDef) and not is_static else names


def passed(call: ast.Call, positional: Sequence[str], name: str) -> ast.expr | Spread | None:
    """What a call passes under a name, given the names of the positions; None where it passes nothing."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if name in positional:
        position = list(positional).index(name)
        for argument in call.args[: position + 1]:
            if isinstance(argument, ast.Starred):
                return Spread(None)
        if position < len(call.args):
            return call.args[position]
    return next((Spread(keyword.value) for keyword in call.keywords if keyword.arg is None), None)


def default_of(function: FunctionNode, name: str) -> ast.expr | None:
    """The default of a parameter, or None."""
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = function.args.defaults
    for parameter, default in zip(positional[len(positional) - len(defaults) :], defaults, strict=True):
        if parameter.arg == name:
            return default
    for parameter, keyword_default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if parameter.arg == name:
            return keyword_default
    return None


def parser_options(index: Index, destination: str) -> list[ast.Call]:
    """The `add_argument` calls of argparse that declare an option under this name."""
    return [
        call
        for call in index.calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_argument"
        and _destination(call) == destination
    ]


def click_option(index: Index, function: FunctionNode, parameter: str) -> ast.Call | None:
    """The click decorator that declares a parameter of a command, or None."""
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    for decorator in decorators:
        if not isinstance(decorator, ast.Call) or not (index.qualified(decorator.func) or "").startswith("click."):
            continue
        if _destination(decorator) == parameter or any(flag == parameter for flag in _flags(decorator)):
            return decorator
    return None


def flag_of(call: ast.Call) -> str:
    """An option's flag as people write it: `--lr`."""
    flags = _flags(call)
    return max(flags, key=len) if flags else ""


def _flags(call: ast.Call) -> list[str]:
    return [flag.value for flag in call.args if isinstance(flag, ast.Constant) and isinstance(flag.value, str)]


def _destination(call: ast.Call) -> str | None:
    named = passed(call, (), "dest")
    if isinstance(named, ast.Constant) and isinstance(named.value, str):
        return named.value
    flags = _flags(call)
    long = [flag for flag in flags if flag.startswith("--")]
    return (long or flags or [""])[0].lstrip("-").split("/")[0].replace("-", "_") or None
