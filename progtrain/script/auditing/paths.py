"""Where a script names the folders that DATASET_ID and VERSION should name, and edits that make it derive them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from progtrain.script.reading.structure import Edit, ParsedScript

_LITERAL = re.compile(r"(?P<prefix>[rRuUfF]{0,2})(?P<quote>\"\"\"|'''|\"|')")
_ELSEWHERE = re.compile(r"^(/|~|\.\./|[A-Za-z]:)[^{}]*(?=(dataset|Models)/\w+/$)")
"""The way to another folder than the one that the script is run in."""
_FOLDER_NAME = r"(?:\{(?P<alias>\w+)\}|(?P<name>[A-Za-z0-9][\w.-]*))"


@dataclass(frozen=True)
class Constant:
    """A module-level constant of the contract, and the folder whose children it names.

    Args:
        name: DATASET_ID or VERSION.
        value: that it must have.
        parent: the two last parts of the folder.
        accepted: names of children that stand for it; empty where every name does.
        word: found in other names that scripts have for it.
    """

    name: str
    value: str
    parent: tuple[str, str]
    accepted: frozenset[str]
    word: str

    @property
    def folder(self) -> str:
        """Its path, as scripts write it."""
        return "/".join(self.parent)


@dataclass(frozen=True)
class Use:
    """A literal that names a folder which the constant should name, and the edit that makes it do so."""

    found: str
    line: int
    edit: Edit


def find_uses(script: ParsedScript, constant: Constant) -> tuple[list[Use], list[Use]]:
    """Uses to be rewritten, and those of another folder that the script reads beside the right one."""
    uses = list(_path_uses(script, constant))
    derives = re.search(rf"{constant.parent[1]}[\"'/)({{,\s]*{constant.name}\b", script.source) is not None
    if not uses and not derives:
        return list(_setting_uses(script, constant)), []
    if constant.accepted:
        return [use for use in uses if use.found in constant.accepted], []
    right = [use for use in uses if use.found == constant.value]
    return (right, [use for use in uses if use not in right]) if right or derives else (uses, [])


def _path_uses(script: ParsedScript, constant: Constant) -> Iterator[Use]:
    values = _module_values(script)
    seen: set[int] = set()
    for node in ast.walk(script.tree):
        found = _use_in_string(script, node, constant, values) or _use_in_join(script, node, constant, values)
        if found is not None and found.edit.start not in seen:
            seen.add(found.edit.start)
            yield found


def _use_in_string(script: ParsedScript, node: ast.AST, constant: Constant, values: dict[str, ast.expr]) -> Use | None:
    """`"dataset/prepdata/v1/train"` and f-strings, on one literal."""
    if not _is_path_literal(script, node):
        return None
    assert isinstance(node, ast.Constant | ast.JoinedStr)
    text = script.text(node)
    opening = _LITERAL.match(text)
    folder = re.search(f"{constant.folder}/{_FOLDER_NAME}", text)
    if opening is None or folder is None or opening["quote"] in text[opening.end() : -len(opening["quote"])]:
        return None
    if folder["alias"] is not None:
        return _use_of_alias(script, folder["alias"], constant, values)
    before, behind = text[opening.end() : folder.start("name")], text[folder.end("name") :]
    before = _ELSEWHERE.sub("", before)
    prefix = opening["prefix"].replace("u", "").replace("U", "")
    if "f" not in prefix.lower():
        prefix += "f"
        before, behind = (part.replace("{", "{{").replace("}", "}}") for part in (before, behind))
    written = f"{prefix}{opening['quote']}{before}{{{constant.name}}}{behind}"
    return Use(folder["name"], node.lineno, script.replace(node, written))


def _is_path_literal(script: ParsedScript, node: ast.AST) -> bool:
    """A string that is neither a docstring nor a part of an f-string."""
    parent = script.parent(node)
    if isinstance(parent, ast.Expr | ast.JoinedStr | ast.FormattedValue):
        return False
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _use_in_join(script: ParsedScript, node: ast.AST, constant: Constant, values: dict[str, ast.expr]) -> Use | None:
    """The part that follows the folder in `Path(...) / "prepdata" / "v1"` and in `os.path.join(..., "v1")`."""
    part = _part_behind(node, constant.parent[1], values)
    match part:
        case ast.Name(id=name):
            return _use_of_alias(script, name, constant, values)
        case ast.Constant(value=str(value)):
            name, slash, rest = value.partition("/")
            text = constant.name if not slash else f'f"{{{constant.name}}}/{rest}"'
            return Use(name, part.lineno, script.replace(part, text))
    return None


def _part_behind(node: ast.AST, folder: str, values: dict[str, ast.expr]) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.right if _ends_with(node.left, folder, values) else None
    if isinstance(node, ast.Call):
        pairs = zip(node.args, node.args[1:], strict=False)
        return next((part for before, part in pairs if _ends_with(before, folder, values)), None)
    return None


def _ends_with(node: ast.expr, folder: str, values: dict[str, ast.expr]) -> bool:
    match node:
        case ast.Constant(value=str(value)):
            return value.rstrip("/").rpartition("/")[2] == folder
        case ast.Name(id=name):
            return name in values and _ends_with(values[name], folder, values)
        case ast.BinOp(op=ast.Div(), right=last) | ast.Call(args=[*_, last]):
            return _ends_with(last, folder, values)
    return False


def _use_of_alias(script: ParsedScript, name: str, constant: Constant, values: dict[str, ast.expr]) -> Use | None:
    """The literal of another module constant that names the folder: `DATASET = "v1"`."""
    literal = values.get(name)
    if name == constant.name or not isinstance(literal, ast.Constant):
        return None
    return Use(str(literal.value), literal.lineno, script.replace(literal, constant.name))


def _module_values(script: ParsedScript) -> dict[str, ast.expr]:
    return {
        statement.targets[0].id: statement.value
        for statement in script.tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }


def _setting_uses(script: ParsedScript, constant: Constant) -> Iterator[Use]:
    """The literal of a setting that goes by such a name: a field of a configuration, an option's default."""
    for node in ast.walk(script.tree):
        for name, value in _named_values(node):
            in_function = script.within(node, ast.FunctionDef) is not None and name == constant.name
            if constant.word not in name.lower() or in_function or script.parent(node) is script.tree:
                continue
            if isinstance(value, ast.Constant) and value.value in (constant.accepted or {constant.value}):
                yield Use(str(value.value), value.lineno, script.replace(value, constant.name))


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ):
            yield name, value
        case ast.Call(args=[ast.Constant(value=str(option)), *_], keywords=keywords):
            yield from ((option, keyword.value) for keyword in keywords if keyword.arg == "default")
        case ast.Call(keywords=keywords):
            yield from ((keyword.arg or "", keyword.value) for keyword in keywords)
        case ast.arguments(args=arguments, defaults=defaults):
            yield from zip((each.arg for each in arguments[len(arguments) - len(defaults) :]), defaults, strict=True)
        case ast.Dict(keys=keys, values=values):
            yield from zip(
                (getattr(key, "value", "") if isinstance(key, ast.Constant) else "" for key in keys),
                values,
                strict=True,
            )
