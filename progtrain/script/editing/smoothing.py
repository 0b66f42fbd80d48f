"""Setting the label smoothing of the training's loss, and leaving what validation measures."""

from __future__ import annotations

import ast
from typing import Final

from progtrain.errors import EditError
from progtrain.script.editing.arguments import add_keyword
from progtrain.script.editing.edit import reference, set_knob, set_or_add, written
from progtrain.script.editing.training_loss import recomputed, telling, with_argument
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.reading.losses import LossCall, Losses
from progtrain.script.reading.structure import Edit, rebuild

_KNOB: Final = "label_smoothing"


def set_smoothing(source: str, value: float) -> str:
    """Smooth the labels in training by `value`.

    Args:
        source: the script.
        value: to be set.

    Raises:
        EditError: not one call computes the training's loss over classes, it is smoothed so already, or nothing tells
            training from validation where it stands.
    """
    losses = Losses(source)
    found = losses.training("cross_entropy", "nll_loss")
    if not found and not losses.has_training_step:  # a part of a script, whose steps stand elsewhere
        return set_or_add(source, _KNOB, value)
    if len(found) != 1:
        raise EditError(losses.lost() or f"Expected one call of a loss over classes in training, found {len(found)}.")
    [loss] = found
    there, text = loss.given(_KNOB), f"{_KNOB}={written(value, '')}"
    if there is not None and _is_trainings_own(source, losses, loss, there):
        return set_knob(source, _KNOB, value)
    if loss.function == "cross_entropy" and loss.made is None:
        return rebuild(source, _in_call(losses, loss, there, written(value, "")))
    if there is None and loss.made in losses.own_modules(found) and loss.function == "cross_entropy":
        assert loss.made is not None
        return rebuild(source, add_keyword(losses.index, loss.made, text))
    # A module takes no smoothing when it is called; and log_softmax is the same taken twice, as cross entropy does.
    source, cross_entropy = reference(source, "torch.nn.functional.cross_entropy")
    losses = Losses(source)
    [loss] = losses.training("cross_entropy", "nll_loss")
    return rebuild(source, recomputed(losses, loss, cross_entropy, text))


def _is_trainings_own(source: str, losses: Losses, loss: LossCall, there: ast.expr) -> bool:
    """Whether the place that the smoothing comes from sets nothing that validation measures."""
    if loss.made is not None and losses.is_measured_by(loss.made):
        return False
    if loss.measures and not isinstance(there, ast.IfExp):
        return False
    places = [place for place in read_anatomy(source).occurrences if place.name == _KNOB]
    return bool(places) and all(not place.shared for place in places)


def _in_call(losses: Losses, loss: LossCall, there: ast.expr | None, value: str) -> list[Edit]:
    """The edits that pass the smoothing in the loss's own call, in training alone."""
    if there is None:
        return with_argument(losses, loss, _KNOB, value, "0.0")
    if loss.partial is not None and any(there is keyword.value for keyword in loss.partial.keywords):
        if not isinstance(there, ast.Constant):
            raise EditError(f"Line {there.lineno}: expected a literal for {_KNOB}. Write it so.")
        return with_argument(losses, loss, _KNOB, value, losses.index.text(there))
    if isinstance(there, ast.IfExp):
        return [Edit(*losses.index.span(there.body), value)]
    told = telling(losses, loss)
    start, end = losses.index.span(there)
    return [*told.edits, Edit(start, end, told.chosen(value, losses.index.text(there)))]
