"""Lists of modules in a script's text (nn.Sequential, list displays, runs of append) and insertions into them."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from progtrain.script.reading.structure import Edit, ParsedScript


@dataclass(frozen=True)
class ModuleList(ABC):
    """Expressions that make one module each and are run in their order."""

    script: ParsedScript
    elements: tuple[ast.expr, ...]

    @abstractmethod
    def insert_after(self, index: int, modules: tuple[str, ...]) -> tuple[Edit, ...]:
        """The edits that write `modules` behind element `index`, laid out as its neighbours are."""


@dataclass(frozen=True)
class ModuleDisplay(ModuleList):
    """The arguments of nn.Sequential(...) or of a class of the script that runs them, or a list display's elements."""

    container: ast.Call | ast.List

    def insert_after(self, index: int, modules: tuple[str, ...]) -> tuple[Edit, ...]:
        """See ModuleList."""
        script, end = self.script, self.script.end(self.elements[index])
        comma = self._comma(index)
        if self._shares_line(index):
            joined = ", ".join(modules)
            return (Edit(end, end, f", {joined}"),) if comma is None else (Edit(comma + 1, comma + 1, f" {joined},"),)
        indent = script.indentation(script.start(self.elements[index]))
        lines = "".join(f"\n{indent}{module}," for module in modules)
        # A comment behind the comma belongs to the element before it; a closing bracket stays behind the last element.
        behind = script.line_end(end if comma is None else comma)
        if script.end(self.container) <= behind:
            behind = end if comma is None else comma + 1
        if comma is None:
            return Edit(end, end, ","), Edit(behind, behind, lines[:-1])
        return (Edit(behind, behind, lines),)

    def insert_first(self, modules: tuple[str, ...]) -> tuple[Edit, ...]:
        """The edits that write `modules`, each on a line of its own, before the first element."""
        first, script = self.elements[0], self.script
        start = script.start(first)
        indent = script.indentation(start)
        if script.begins_line(first):
            return (Edit(start, start, "".join(f"{module},\n{indent}" for module in modules)),)
        inner = f"{indent}    "
        return (Edit(start, start, f"\n{inner}" + "".join(f"{module},\n{inner}" for module in modules)),)

    def _shares_line(self, index: int) -> bool:
        following = self.elements[index + 1 : index + 2]
        return not self.script.begins_line(self.elements[index]) or (
            bool(following) and not self.script.begins_line(following[0])
        )

    def _comma(self, index: int) -> int | None:
        script, start = self.script, self.script.end(self.elements[index])
        following = self.elements[index + 1 : index + 2]
        stop = script.start(following[0]) if following else script.end(self.container) - 1
        offset = start
        for line in script.source[start:stop].splitlines(keepends=True):
            comma = line.partition("#")[0].find(",")
            if comma >= 0:
                return offset + comma
            offset += len(line)
        return None


@dataclass(frozen=True)
class AppendedModules(ModuleList):
    """A run of `layers.append(module)` statements; `name` is the list's."""

    name: str
    statements: tuple[ast.stmt, ...]

    def insert_after(self, index: int, modules: tuple[str, ...]) -> tuple[Edit, ...]:
        """See ModuleList."""
        return tuple(
            self.script.new_line_after(self.statements[index], f"{self.name}.append({module})") for module in modules
        )


def module_lists(script: ParsedScript) -> Iterator[ModuleList]:
    """Every list of modules in the script, in the order of the text."""
    containers = {"torch.nn.Sequential", *_containers(script)}
    for node in sorted(ast.walk(script.tree), key=_position):
        match node:
            case ast.Call(args=args) if args and script.called(node) in containers:
                yield ModuleDisplay(script, tuple(args), node)
            case ast.List(elts=elements) if any(script.called(item).startswith("torch.nn.") for item in elements):
                yield ModuleDisplay(script, tuple(elements), node)
        for statements in _bodies(node):
            yield from _appended(script, statements)


def _containers(script: ParsedScript) -> Iterator[str]:
    """Names of the script's classes that take any modules and run them in their order: `nn.Sequential(*layers)`."""
    runs = [call for call in script.calls() if script.called(call) == "torch.nn.Sequential"]
    for owner in (node for node in ast.walk(script.tree) if isinstance(node, ast.ClassDef)):
        for init in owner.body:
            match init:
                case ast.FunctionDef(name="__init__", args=ast.arguments(args=[_], vararg=ast.arg(arg=layers))):
                    if any(script.within(run, ast.FunctionDef) is init and _spreads(run, layers) for run in runs):
                        yield owner.name


def _spreads(call: ast.Call, name: str) -> bool:
    """Whether `*name` is all that is given to a call."""
    match call.args:
        case [ast.Starred(value=ast.Name(id=given))]:
            return given == name
    return False


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        if isinstance(body, list):
            yield body


def _appended(script: ParsedScript, statements: list[ast.stmt]) -> Iterator[AppendedModules]:
    run: list[tuple[str, ast.expr, ast.stmt]] = []
    for statement in [*statements, ast.Pass()]:
        name, module = _append(statement)
        if run and name != run[-1][0]:
            if any(script.called(element).startswith("torch.nn.") for _, element, _ in run):
                yield AppendedModules(script, tuple(e for _, e, _ in run), run[0][0], tuple(s for _, _, s in run))
            run = []
        if name and module is not None:
            run.append((name, module, statement))


def _append(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[module])):
            return name, module
    return "", None
