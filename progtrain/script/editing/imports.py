"""Naming something from a library in a script: by the imports that are there, or with one more."""

from __future__ import annotations

import ast

from progtrain.errors import EditError
from progtrain.script.reading.index import Imported, Index
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_LIGHTNING = ("lightning.pytorch", "pytorch_lightning")


def reference(source: str, dotted: str) -> tuple[str, str]:
    """Make something from a library usable in a script.

    Args:
        source: the script.
        dotted: its full name, "torch.optim.AdamW"; Lightning's begin with "lightning.pytorch".

    Returns:
        The source, with an import added where none leads there yet, and the expression to write: "optim.AdamW".

    Raises:
        EditError: an import is needed, and its name is taken.
    """
    index = Index(source)
    wanted = _in_family(index, dotted)
    found = [expression for name in index.members(index.tree) if (expression := _through(index, name, wanted))]
    if found:
        return source, min(found, key=len)
    module, _, name = wanted.rpartition(".")
    return add_import(source, module, name), name


def add_import(source: str, module: str, name: str | None = None) -> str:
    """Add `from module import name`, or `import module`, behind the imports that are there.

    Raises:
        EditError: the name that it would bind is bound to something else.
    """
    index = Index(source)
    bound = name or module.partition(".")[0]
    there = index.members(index.tree).get(bound, [])
    if there == [Imported(f"{module}.{name}" if name else bound)]:
        return source
    if there:
        raise EditError(f"Expected the name {bound} to be free for an import, got one in use. Rename that one.")
    statement = f"from {module} import {name}" if name else f"import {module}"
    offset, text = _place(index, module, statement)
    return rebuild(source, [Edit(offset, offset, text)])


def without_unused(source: str, *names: str) -> str:
    """Take away `from module import name` where nothing uses the name any more; an import with a comment stays.

    Args:
        source: the script.
        names: full names, "torch.optim.SGD".
    """
    for dotted in names:
        script = ParsedScript(source)
        edits = [edit for statement in script.tree.body if (edit := _forgotten(script, statement, dotted)) is not None]
        source = rebuild(source, edits)
    return source


def _forgotten(script: ParsedScript, statement: ast.stmt, dotted: str) -> Edit | None:
    """The edit that takes an unused name out of an import."""
    module, _, name = dotted.rpartition(".")
    if not isinstance(statement, ast.ImportFrom) or statement.module != module or statement.level:
        return None
    index = next((index for index, alias in enumerate(statement.names) if alias.name == name), None)
    if index is None:
        return None
    bound = statement.names[index].asname or name
    end = script.line_end(script.end(statement))
    rest = script.source[script.start(statement) : end].removeprefix(script.text(statement))
    used = any(bound in (getattr(node, "id", ""), getattr(node, "value", "")) for node in ast.walk(script.tree))
    if used or rest.strip() or "#" in script.text(statement) or not script.begins_line(statement):
        return None
    if len(statement.names) == 1:
        newline = script.source.find("\n", end) + 1 or end
        return Edit(script.start(statement), newline, "")
    if index == 0:
        return Edit(script.start(statement.names[0]), script.start(statement.names[1]), "")
    return Edit(script.end(statement.names[index - 1]), script.end(statement.names[index]), "")


def _in_family(index: Index, dotted: str) -> str:
    """The name as the script's own Lightning package has it."""
    packages = {
        binding.name.partition(".")[0]
        for bindings in index.members(index.tree).values()
        for binding in bindings
        if isinstance(binding, Imported)
    }
    old = dotted.startswith(_LIGHTNING[0]) and _LIGHTNING[1] in packages and "lightning" not in packages
    return dotted.replace(*_LIGHTNING, 1) if old else dotted


def _through(index: Index, name: str, wanted: str) -> str | None:
    """The expression for `wanted` that begins with a name of the module, if every import bound to it leads there."""
    ways = set()
    for binding in index.members(index.tree)[name]:
        if not isinstance(binding, Imported):
            return None
        for spelling in _spellings(wanted):
            if spelling == binding.name:
                ways.add(name)
            elif spelling.startswith(binding.name + "."):
                ways.add(name + spelling.removeprefix(binding.name))
    return ways.pop() if len(ways) == 1 else None


def _spellings(wanted: str) -> set[str]:
    new, old = _LIGHTNING
    return {wanted, wanted.replace(new, old, 1), wanted.replace(old, new, 1)}


def _place(index: Index, module: str, statement: str) -> tuple[int, str]:
    """Behind the last import of the same package in the first run of imports, else behind that run."""
    run = _first_run(index.tree.body)
    same = [each for each in run if _package(each) == module.partition(".")[0]]
    if run:
        return index.line_end(_last_line((same or run)[-1])), f"\n{statement}"
    body = index.tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return index.line_end(_last_line(body[0])), f"\n\n{statement}"
    return 0, f"{statement}\n"


def _first_run(body: list[ast.stmt]) -> list[ast.Import | ast.ImportFrom]:
    run: list[ast.Import | ast.ImportFrom] = []
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            run.append(statement)
        elif run and _package(run[-1]) != "__future__":
            break
    return run


def _package(statement: ast.Import | ast.ImportFrom) -> str:
    name = statement.module or "" if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return name.partition(".")[0]


def _last_line(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno
