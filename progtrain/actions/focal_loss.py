"""Focal loss: samples that are told apart with ease count for little (Lin et al., arXiv 1708.02002)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._batch import class_count, class_loss, require_log_softmax
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused
from progtrain.script.editing.training_loss import replaced
from progtrain.script.reading.losses import LossCall, Losses
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild
from progtrain.script.settings.knob_values import CLASS_LOSSES

_MODULES: Final = ("torch.nn.CrossEntropyLoss", "torch.nn.NLLLoss")
_NAME: Final = "focal_loss"
_DEFINITION: Final = '''\
def focal_loss(scores, targets):
    """Cross entropy times (1 - p) ** 2, p the probability of the right class (arXiv 1708.02002)."""
    losses = {measured}(scores, targets, reduction="none")
    return ((1 - (-losses).exp()) ** 2 * losses).mean()


'''


class FocalLoss(StructuralAction):
    """Weigh each sample's cross entropy in training by how far the right class is from certain."""

    family = "loss"
    # What is computed behind the cross entropy counts as computation.
    touches = frozenset({"loss", "computation"})
    answers = ("imbalanced",)
    risk = "medium"
    probability = 0.35
    gain = 0.1
    goal = "Let the many easy samples of the frequent classes not drown the few of the rare ones"
    expected_impact = "The rarest class's recall rises; answers are less confident; training losses cannot be compared"
    verification = "The rarest class's recall is above the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        call, classes = class_loss(snapshot), class_count(snapshot)
        require_log_softmax(snapshot)
        if len(call.shapes) > 2 or (snapshot.train is not None and "Weighted" in snapshot.train.sampler):
            raise EditError("the classes are weighted already")
        if call.arguments.get("label_smoothing"):
            raise EditError("the labels are smoothed, so that the cross entropy does not tell the right class's share")
        change = f"the cross entropy of {classes} classes becomes focal loss, with an exponent of 2"
        return Binding({}, change, self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        function = next((loss.function for loss in _plain(Losses(source))), "")
        source, measured = reference(source, f"torch.nn.functional.{function or 'cross_entropy'}")
        script, losses = ParsedScript(source), Losses(source)
        if script.defines(_NAME):
            raise EditError(f"Expected the name {_NAME} to be free, got one in use. It is applied already, or taken.")
        calls = _plain(losses)
        if len({loss.function for loss in calls}) != 1:
            raise EditError(losses.lost() or "Expected one loss of scores and classes for training, found none.")
        modules = losses.own_modules(calls)
        edits = [Edit(*losses.index.span(made), _NAME) for made in modules]
        for loss in calls:
            edits += [] if loss.made in modules else replaced(losses, loss, _NAME)
        first = min(losses.index.span(place)[0] for place in (*modules, *(loss.call for loss in calls)))
        place = next(
            node for node in ast.walk(script.tree) if isinstance(node, ast.expr) and script.start(node) == first
        )
        edits.append(script.define_before(place, _DEFINITION.format(measured=measured)))
        return changed(source, without_unused(rebuild(source, dict.fromkeys(edits)), *_MODULES), self.name)


def _plain(losses: Losses) -> list[LossCall]:
    """The calls that compute the training's loss, each of scores and targets and nothing else.

    Raises:
        EditError: a call has more arguments, or what it calls was made with some.
    """
    calls = losses.training(*CLASS_LOSSES)
    for loss in calls:
        if len(loss.call.args) != 2 or loss.call.keywords:
            raise EditError(
                f"Line {loss.call.lineno}: expected a cross entropy of scores and targets alone, by position."
            )
        made = loss.made or loss.partial
        if made is not None and (made.args[made is loss.partial :] or any(map(_changes, made.keywords))):
            raise EditError(
                f"Line {made.lineno}: expected a plain loss of scores and classes for training, found none but "
                f"{losses.index.text(made)}. Change it by hand."
            )
    return calls


def _changes(keyword: ast.keyword) -> bool:
    """Whether an argument of a loss makes a difference to the mean over a batch."""
    return (keyword.arg, getattr(keyword.value, "value", None)) != ("reduction", "mean")
