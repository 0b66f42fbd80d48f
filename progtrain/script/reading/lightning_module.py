"""The LightningModule in a script's text, and the places in it where code is added."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from progtrain.errors import EditError
from progtrain.script.reading.structure import Edit, ParsedScript


@dataclass(frozen=True)
class ModuleText:
    """The script's one class with a training step.

    Args:
        script: that it stands in.
        owner: the class.
        training_step: its method.
    """

    script: ParsedScript
    owner: ast.ClassDef
    training_step: ast.FunctionDef

    def method(self, name: str) -> ast.FunctionDef | None:
        """The class's own method of that name."""
        return _method(self.owner, name)

    def define(self, function: str) -> Edit:
        """The edit that defines a function above the class.

        Args:
            function: source of its definition, without an indent, no newline at the end.

        Raises:
            EditError: the script has something of that name.
        """
        name = function.removeprefix("def ").partition("(")[0]
        nodes = ast.walk(self.script.tree)
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name for node in nodes):
            raise EditError(
                f"Expected no {name} in the script, found one. It is applied already, or the name is taken."
            )
        first: ast.expr | ast.stmt = self.owner.decorator_list[0] if self.owner.decorator_list else self.owner
        start = self.script.source.rfind("\n", 0, self.script.start(first)) + 1
        return Edit(start, start, f"{function}\n\n\n")

    def begin(self, method: ast.FunctionDef, line: str) -> Edit:
        """The edit that makes `line` a method's first statement, behind its docstring."""
        body = method.body[1:] if ast.get_docstring(method) is not None else method.body
        if not body or not self.script.begins_line(body[0]):
            raise EditError(f"Line {method.lineno}: expected {method.name}'s statements on lines of their own.")
        start = self.script.start(body[0])
        return Edit(start, start, f"{line}\n{self.script.indentation(start)}")

    def in_init(self, line: str) -> Edit:
        """The edit that runs `line` right behind `super().__init__()`.

        Raises:
            EditError: the class has no `__init__` that calls it.
        """
        init = self.method("__init__")
        for statement in init.body if init is not None else ():
            if ast.unparse(statement).startswith("super()"):
                return self.script.new_line_after(statement, line)
        raise EditError(f"Line {self.owner.lineno}: expected an __init__ that calls super().__init__(). Write one.")

    def end_of_init(self, line: str) -> Edit:
        """The edit that runs `line` last in `__init__`.

        Raises:
            EditError: the class has none, or it returns.
        """
        init = self.method("__init__")
        if init is None or any(isinstance(node, ast.Return) for node in ast.walk(init)):
            raise EditError(f"Line {self.owner.lineno}: expected an __init__ that runs to its end. Write one.")
        return self.script.new_line_after(init.body[-1], line)

    def in_setup(self, line: str) -> Edit:
        """The edit that runs `line` once, before fitting: in the class's `setup`, which is written if it has none.

        Raises:
            EditError: there is a `setup` that returns, or takes no stage.
        """
        setup = self.method("setup")
        if setup is None:
            start = self.script.start(self.training_step)
            indent = self.script.indentation(start)
            lines = (
                "def setup(self, stage: str) -> None:",
                f'{indent}    if stage == "fit":',
                f"{indent}        {line}",
                "",
                indent,
            )
            return Edit(start, start, "\n".join(lines))
        if len(setup.args.args) != 2 or any(isinstance(node, ast.Return) for node in ast.walk(setup)):
            raise EditError(f"Line {setup.lineno}: expected setup(self, stage) to run to its end. Write it so.")
        indent = self.script.indentation(self.script.start(setup.body[-1]))
        return self.script.new_line_after(setup.body[-1], f'if {setup.args.args[1].arg} == "fit":\n{indent}    {line}')


def find_module(script: ParsedScript) -> ModuleText:
    """The script's LightningModule.

    Raises:
        EditError: not exactly one class has a training step of its own.
    """
    found = [
        ModuleText(script, node, step)
        for node in ast.walk(script.tree)
        if isinstance(node, ast.ClassDef) and (step := _method(node, "training_step")) is not None
    ]
    if len(found) != 1:
        raise EditError(f"Expected one class with a training_step, found {len(found)}. Change the script by hand.")
    return found[0]


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == name), None)
