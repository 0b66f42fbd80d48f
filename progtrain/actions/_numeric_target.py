"""What the actions that learn numeric targets on another scale have in common: where answer and target meet."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.reading.lightning_module import ModuleText
from progtrain.script.settings.knob_values import ACTIVATIONS, is_loss

_FUNCTIONS: Final = {
    f"torch.nn.functional.{loss}": module
    for loss, module in (
        ("mse_loss", "torch.nn.MSELoss"),
        ("l1_loss", "torch.nn.L1Loss"),
        ("smooth_l1_loss", "torch.nn.SmoothL1Loss"),
        ("huber_loss", "torch.nn.HuberLoss"),
    )
}
"""What measures a distance -> the class that holds it."""
_SCALED: Final = frozenset({"exp", "expm1", "log", "log1p"})
#: Change the layout of numbers and not the numbers.
_LAYOUT: Final = frozenset({"squeeze", "unsqueeze", "view", "reshape", "flatten", "float"})


@dataclass(frozen=True)
class Places:
    """The expressions through which a numeric target is learnt.

    Args:
        returned: what forward answers.
        answer: the loss's first argument in the training step, that answer.
        target: its second, the batch's targets.
    """

    returned: ast.expr
    answer: ast.expr
    target: ast.expr


def find_places(module: ModuleText) -> Places:
    """Where the answer leaves forward, and where the training step compares it with the target.

    Raises:
        EditError: they do not stand where they can be told, or another action has set the answers' scale.
    """
    for taken in ("set_output_bias", "set_target_statistics"):
        if module.script.defines(taken):
            raise EditError(f"Expected answers on a scale that nothing sets yet, found {taken}. Take that back first.")
    returned, loss = _answer(module), _loss(module)
    answer, target = loss.args
    if not _is_answer(module, answer):
        raise EditError(f"Line {loss.lineno}: expected the loss of self(...) as forward answers it. Write it so.")
    if not _is_target(module, target):
        raise EditError(
            f"Line {loss.lineno}: expected the batch's targets as they are. Change the scale there by hand."
        )
    return Places(returned, answer, target)


def require_plain_distance(snapshot: Snapshot) -> None:
    """Check that one distance compares the targets, on their own scale, with what the last layer gives.

    Raises:
        EditError: the loss is something else, or the answers are bounded or on another scale already.
    """
    functions = [call.function for call in snapshot.calls]
    losses = [function for function in functions if is_loss(function)]
    if len(losses) != 1 or f"torch.nn.functional.{losses[0]}" not in _FUNCTIONS:
        raise EditError(f"expected one distance between numbers as the loss, got {losses or 'none'}")
    if _SCALED & {*functions}:
        raise EditError("the training step takes logarithms or exponentials already")
    behind = [call.function for call in snapshot.calls if call.function in {*ACTIVATIONS, "linear"}]
    if behind and behind[-1] in ACTIVATIONS:
        raise EditError(f"the answers pass through {behind[-1]}, which bounds them")


def _answer(module: ModuleText) -> ast.expr:
    """What forward returns."""
    forward = module.method("forward")
    returns = [] if forward is None else [node for node in ast.walk(forward) if isinstance(node, ast.Return)]
    if forward is None or len(returns) != 1 or returns[0].value is None:
        raise EditError(f"Line {module.owner.lineno}: expected a forward with one return. Write it so.")
    parts = {part for call in _calls(forward) if (part := _part(call))}
    for method in (node for node in module.owner.body if isinstance(node, ast.FunctionDef) and node is not forward):
        passing = next((call for call in _calls(method) if _part(call) in parts), None)
        if passing is not None:
            raise EditError(
                f"Line {passing.lineno}: {ast.unparse(passing.func)} is called past forward. Call self(...)."
            )
    return returns[0].value


def _loss(module: ModuleText) -> ast.Call:
    """The training step's one call that measures a distance."""
    script = module.script
    held = {
        ast.unparse(node.targets[0])
        for node in ast.walk(module.owner)
        if isinstance(node, ast.Assign) and script.called(node.value) in _FUNCTIONS.values()
    }
    calls = _calls(module.training_step)
    found = [call for call in calls if script.called(call) in _FUNCTIONS or ast.unparse(call.func) in held]
    if len(found) != 1 or len(found[0].args) != 2:
        raise EditError(
            f"Line {module.training_step.lineno}: expected one loss of an answer and a target in training_step itself, "
            f"found {len(found)}. Where validation shares it, its figures would change their scale."
        )
    return found[0]


def _is_answer(module: ModuleText, expression: ast.expr) -> bool:
    match _laid_out(expression):
        case ast.Call(func=function):
            return ast.unparse(function) in ("self", "self.forward")
        case ast.Name(id=name):
            bound = _bound(module.training_step, name)
            return bound is not None and isinstance(bound.targets[0], ast.Name) and _is_answer(module, bound.value)
    return False


def _is_target(module: ModuleText, expression: ast.expr) -> bool:
    match _laid_out(expression):
        case ast.Name(id=name) if name in [argument.arg for argument in module.training_step.args.args[1:2]]:
            return True
        case ast.Name(id=name):
            bound = _bound(module.training_step, name)
            return bound is not None and _is_target(module, bound.value)
    return False


def _laid_out(expression: ast.expr) -> ast.expr:
    """The expression whose layout alone this one changes."""
    match expression:
        case ast.Subscript(value=value):
            return _laid_out(value)
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _LAYOUT:
            return _laid_out(value)
    return expression


def _bound(function: ast.FunctionDef, name: str) -> ast.Assign | None:
    """The one assignment that binds a name."""
    stores = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    assignments = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(getattr(part, "id", "") == name for part in ast.walk(node.targets[0]))
    ]
    return assignments[0] if len(assignments) == 1 and [store.id for store in stores].count(name) == 1 else None


def _part(call: ast.Call) -> str:
    """The attribute of self that is called; empty where it is something else."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return ""


def _calls(node: ast.AST) -> list[ast.Call]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Call)]
