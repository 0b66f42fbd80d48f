"""Another loss for training alone: what validation measures by the same text stays."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from progtrain.errors import EditError
from progtrain.script.editing.arguments import add_keyword
from progtrain.script.reading.index import FunctionNode, Index
from progtrain.script.reading.losses import LossCall, Losses
from progtrain.script.reading.structure import Edit

_POSITIONS: Final = {
    "cross_entropy": ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"),
    "nll_loss": ("weight", "size_average", "ignore_index", "reduce", "reduction"),
    "mse_loss": ("size_average", "reduce", "reduction"),
}
"""Function -> the positional arguments of the class that holds it."""
_FLAG: Final = "training"
_HOOK: Final = "on_validation_model_eval"
_UNBOUND: Final = frozenset({"staticmethod", "classmethod"})
_LONGEST_LINE: Final = 110


@dataclass(frozen=True)
class Telling:
    """How a place tells training from validation.

    Args:
        test: an expression that is true in training alone; empty where only training comes there.
        edits: that make it known there.
    """

    test: str
    edits: tuple[Edit, ...] = ()

    def chosen(self, training: str, measuring: str) -> str:
        """The expression of what training and what measuring takes."""
        return f"{training} if {self.test} else {measuring}" if self.test else training


def with_argument(losses: Losses, loss: LossCall, keyword: str, value: str, neutral: str) -> list[Edit]:
    """The edits that give a loss function one more argument in training.

    Args:
        losses: of the script.
        loss: a function's, or that of a `functools.partial` of it.
        keyword: the argument's name.
        value: as it is written.
        neutral: the value that makes no difference.

    Raises:
        EditError: the call spreads its arguments, or nothing tells training from validation there.
    """
    told = telling(losses, loss)
    return [*told.edits, *add_keyword(losses.index, loss.call, f"{keyword}={told.chosen(value, neutral)}")]


def replaced(losses: Losses, loss: LossCall, function: str) -> list[Edit]:
    """The edits that compute a loss by another function of the same arguments in training.

    Args:
        losses: of the script.
        loss: of it.
        function: as the script names it.

    Raises:
        EditError: nothing tells training from validation there.
    """
    told = telling(losses, loss)
    start, end = losses.index.span(loss.call.func)
    chosen = told.chosen(function, losses.index.text(loss.call.func))
    return [*told.edits, Edit(start, end, f"({chosen})" if told.test else chosen)]


def recomputed(losses: Losses, loss: LossCall, function: str, *further: str) -> list[Edit]:
    """The edits that compute a loss by another function in training, with what its module was made with.

    Args:
        losses: of the script.
        loss: of it.
        function: as the script names it, `F.cross_entropy`.
        further: arguments, as they are written, that take the place of those of the same name.

    Raises:
        EditError: nothing tells training from validation there, or what the module was made with cannot be told.
    """
    index, told = losses.index, telling(losses, loss)
    given = {argument.partition("=")[0]: argument for argument in further}
    kept = [f"{name}={value}" for name, value in _named_arguments(losses, loss).items() if name not in given]
    text = f"{function}({', '.join((*map(index.text, loss.call.args), *kept, *further))})"
    start, end = index.span(loss.call)
    if not told.test:
        return [Edit(start, end, text)]
    parts = [text, f"if {told.test}", f"else {index.text(loss.call)}"]
    indent, before = index.before_on_line(start)
    if len(indent) + len(before) + sum(map(len, parts)) < _LONGEST_LINE:
        return [*told.edits, Edit(start, end, f"({' '.join(parts)})")]
    inner = f"\n{indent}    "
    return [*told.edits, Edit(start, end, f"({inner}{inner.join(parts)}\n{indent})")]


def _named_arguments(losses: Losses, loss: LossCall) -> dict[str, str]:
    """The arguments that a loss is given by name: when it is called, and where it is made."""
    index, held = losses.index, losses.index.text(loss.call.func)
    found: dict[str, str] = {}
    for maker, positions in ((loss.partial, ()), (loss.made, _POSITIONS.get(loss.function, ()))):
        for name, value in _spelled_out(maker, positions) if maker is not None else ():
            if not isinstance(value, ast.Constant) and maker is loss.partial:
                raise EditError(f"Line {value.lineno}: expected a literal for {name}, to be written once more.")
            # What is no literal was evaluated where the module is made; the module keeps it.
            found[name] = index.text(value) if isinstance(value, ast.Constant) else f"{held}.{name}"
    return found | {name: index.text(value) for name, value in _spelled_out(loss.call, None)}


def _spelled_out(call: ast.Call, positions: tuple[str, ...] | None) -> Iterator[tuple[str, ast.expr]]:
    """The arguments of a call by their names; those by position too, where their names are known.

    Raises:
        EditError: some are hidden in a star, or stand where they have no name.
    """
    keywords = [(keyword.arg, keyword.value) for keyword in call.keywords]
    named = [] if positions is None else [*zip(positions, call.args, strict=False)]
    for name, value in [*named, *keywords]:
        if name is None or isinstance(value, ast.Starred):
            raise EditError(f"Line {call.lineno}: expected the loss's arguments spelled out, got * or **.")
        yield name, value


# --- training or validation ---


def telling(losses: Losses, loss: LossCall) -> Telling:
    """How the place of a loss tells training from validation.

    Raises:
        EditError: both come there, and nothing tells them apart.
    """
    if not loss.measures:
        return Telling("")
    trains = _training_mode(losses)
    if trains is not None:
        raise EditError(
            f"Line {loss.call.lineno}: training and validation share this loss, and line {trains} validates in "
            "training mode. Give training a loss of its own."
        )
    test = _test_at(losses.index, loss.call) or _given_model(losses, loss.call)[0]
    if test:
        return Telling(test)
    told = _flagged(losses, loss)
    if told is None:
        raise EditError(
            f"Line {loss.call.lineno}: training and validation share this loss, and nothing there tells one from the "
            "other. Compute it in a method of the model, or give training a loss of its own."
        )
    return told


def model_at(losses: Losses, loss: LossCall) -> tuple[str, ast.ClassDef | None]:
    """How a loss's place names the module it belongs to, and that module's class; ("", None) where it does not."""
    test, owner = _module_at(losses.index, loss.call)
    if not test:
        test, owner = _given_model(losses, loss.call)
    return test.removesuffix(".training"), owner


def _training_mode(losses: Losses) -> int | None:
    """The line that makes `self.training` true while something is measured."""
    for function in losses.measuring_functions():
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(attr="train"), args=[] | [ast.Constant(value=True)], keywords=[]):
                    return node.lineno
    hook = next((node for node in ast.walk(losses.index.tree) if getattr(node, "name", "") == _HOOK), None)
    return None if hook is None else getattr(hook, "lineno", None)


def _test_at(index: Index, node: ast.AST) -> str:
    """`self.training`, where a node stands in a method of a module; empty where it does not."""
    return _module_at(index, node)[0]


def _module_at(index: Index, node: ast.AST) -> tuple[str, ast.ClassDef | None]:
    """`self.training` where a node stands in a method of a module, and the module's class."""
    for function in (above for above in index.above(node) if isinstance(above, FunctionNode)):
        owner = index.scope(function)
        if not isinstance(function, ast.Lambda) and isinstance(owner, ast.ClassDef) and _is_module(index, owner):
            bound = not any(_name_of(decorator) in _UNBOUND for decorator in function.decorator_list)
            named = bound and function.args.args
            return (f"{function.args.args[0].arg}.training", owner) if named else ("", None)
    return "", None


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_module(index: Index, owner: ast.ClassDef) -> bool:
    """Whether a class is a torch module, whose `training` Lightning sets."""
    members = index.members(owner)
    if "training_step" in members or "forward" in members:
        return True
    for base in owner.bases:
        made = index.definition(base)
        name = index.qualified(base) or ""
        if isinstance(made, ast.ClassDef) and made is not owner and _is_module(index, made):
            return True
        if name.endswith("Module"):
            return True
    return False


def _given_model(losses: Losses, node: ast.AST) -> tuple[str, ast.ClassDef | None]:
    """`model.training` in a plain function that is given the model in every call, and the model's class."""
    function = losses.index.function(node)
    if not isinstance(function, ast.FunctionDef):
        return "", None
    calls = losses.sites.of(function)
    found = [_module_at(losses.index, call) for call in calls]
    for parameter in function.args.args if calls else ():
        given = [losses.sites.argument(call, function, parameter.arg) for call in calls]
        if all(
            isinstance(each, ast.Name) and test == f"{each.id}.training"
            for each, (test, _) in zip(given, found, strict=True)
        ):
            return f"{parameter.arg}.training", found[0][1]
    return "", None


def _flagged(losses: Losses, loss: LossCall) -> Telling | None:
    """By one more argument of the plain function that a loss stands in."""
    index = losses.index
    function = index.function(loss.call)
    calls = losses.sites.of(function) if isinstance(function, ast.FunctionDef) else []
    if not isinstance(function, ast.FunctionDef) or not calls:
        return None
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    if function.args.kwarg is not None or function.args.vararg is not None or _FLAG in names or not function.args.args:
        return None
    edits = [_one_more_parameter(index, function)]
    for call in calls:
        if losses.trains(call):
            test = _test_at(index, call) if losses.measures(call) else "True"
            if not test:
                return None
            edits += add_keyword(index, call, f"{_FLAG}={test}")
    return Telling(_FLAG, tuple(edits))


def _one_more_parameter(index: Index, function: ast.FunctionDef) -> Edit:
    ends = [index.span(each)[1] for each in (*function.args.args, *function.args.kwonlyargs)]
    ends += [index.span(each)[1] for each in (*function.args.defaults, *function.args.kw_defaults) if each is not None]
    return Edit(max(ends), max(ends), f", {_FLAG}=False")
