"""ReLU where a script chooses it by a name: the name is changed where it is given, and what names stand for stays."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, written
from progtrain.script.reading.following import Unknown
from progtrain.script.reading.index import Index
from progtrain.script.reading.named_choices import Alternative, Choice, named_choices
from progtrain.script.reading.resolve import Origin
from progtrain.script.reading.structure import Edit, rebuild

_RECTIFIERS: Final = {"torch.nn.ReLU": "ReLU", "torch.nn.functional.relu": "relu", "torch.relu": "relu"}
_PLACE: Final = "progtrain_activation"
_ROOMS: Final = ("torch.nn", "torch.nn.functional", "torch")


def chosen_by_name(source: str) -> list[tuple[int, int]]:
    """Where the names stand that choose ReLU, each place once."""
    index = Index(source)
    return sorted({index.span(_literal(choice)) for choice in _choosing(index)})


def offered_by_name(source: str) -> list[tuple[int, int]]:
    """Where the ReLUs stand that a name may choose, whether or not one does."""
    index = Index(source)
    offering = [each.value for choice in named_choices(index) for each in choice.alternatives if _is_name(each.name)]
    for table in (node for node in ast.walk(index.tree) if isinstance(node, ast.Dict)):
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and _is_name(str(key.value)):
                offering.append(value)
    nodes = [node for value in offering for node in ast.walk(value) if isinstance(node, ast.Name | ast.Attribute)]
    return [index.span(node) for node in nodes if index.qualified(node) in _RECTIFIERS]


def rename(source: str, wanted: Mapping[str, str]) -> str:
    """Choose something else where a name chooses ReLU.

    Args:
        source: the script.
        wanted: "relu" and "ReLU", as the function and the class are called -> the full name of what is to be chosen.

    Raises:
        EditError: where the name comes from is not known, or no name stands for what is to be chosen.
    """
    index = Index(source)
    missing = [choice for choice in _choosing(index) if not choice.room and not _named(index, choice, wanted)]
    if missing:
        return rename(_added(source, index, _rectifier(index, missing[0]), wanted), wanted)
    edits = []
    for choice in _choosing(index):
        start, end = index.span(_literal(choice))
        new = wanted[choice.name].rpartition(".")[2] if choice.room else _named(index, choice, wanted)
        edits.append(Edit(start, end, written(new, source[start:end])))
    return rebuild(source, dict.fromkeys(edits))


def _choosing(index: Index) -> list[Choice]:
    """The choices that come to ReLU.

    Raises:
        EditError: a choice may come to it, and what its name is is not known.
    """
    found = []
    for choice in named_choices(index):
        offering = [each for each in choice.alternatives if _offers(index, each)]
        if isinstance(choice.origin, Unknown) and offering:
            raise EditError(
                f"Line {choice.key.lineno}: {index.text(choice.key)} chooses among activations by name, and "
                f"{choice.origin.reason}. Write the name in one place."
            )
        by_attribute = choice.room in _ROOMS and choice.name in ("relu", "ReLU")
        if by_attribute or choice.name in {each.name for each in offering}:
            found.append(choice)
    return found


def _offers(index: Index, alternative: Alternative) -> str:
    """The ReLU that an alternative of that name is; empty where it is another thing."""
    if not _is_name(alternative.name):
        return ""
    nodes = [node for node in ast.walk(alternative.value) if isinstance(node, ast.Name | ast.Attribute)]
    return next((name for node in nodes if (name := index.qualified(node) or "") in _RECTIFIERS), "")


def _is_name(name: str) -> bool:
    """Whether a name means ReLU, and not a setting that happens to be one."""
    return name.lower() == "relu"


def _rectifier(index: Index, choice: Choice) -> Alternative:
    return next(each for each in choice.alternatives if each.name == choice.name and _offers(index, each))


def _named(index: Index, choice: Choice, wanted: Mapping[str, str]) -> str:
    """The name that stands for what is to be chosen; empty where none does."""
    target = wanted[_RECTIFIERS[_offers(index, _rectifier(index, choice))]]
    for each in choice.alternatives:
        nodes = [node for node in ast.walk(each.value) if isinstance(node, ast.Name | ast.Attribute)]
        if any(index.qualified(node) == target for node in nodes):
            return each.name
    return ""


def _added(source: str, index: Index, alternative: Alternative, wanted: Mapping[str, str]) -> str:
    """The script with one more entry in the table that a ReLU stands in.

    Raises:
        EditError: it is a branch, and no table.
    """
    target = wanted[_RECTIFIERS[_offers(index, alternative)]]
    entry, value = alternative.entry, alternative.value
    if entry is None or not isinstance(value, ast.expr):
        line = next((node.lineno for node in ast.walk(value) if isinstance(node, ast.expr)), 0)
        raise EditError(f"Line {line}: no name chooses {target}. Add a branch for it.")
    name = target.rpartition(".")[2]
    named = name if alternative.name != alternative.name.lower() else wanted["relu"].rpartition(".")[2]
    end = index.span(value)[1]
    made = "()" if isinstance(value, ast.Call) else ""
    if not isinstance(value, ast.Name | ast.Attribute | ast.Call):
        raise EditError(f"Line {value.lineno}: no name chooses {target}. Add an entry for it.")
    key = written(named, index.text(entry))
    marked = rebuild(source, [Edit(end, end, f", {key}: {_PLACE}{made}")])
    marked, expression = reference(marked, target)
    return marked.replace(_PLACE, expression)


def _literal(choice: Choice) -> ast.expr:
    assert isinstance(choice.origin, Origin)
    return choice.origin.node
