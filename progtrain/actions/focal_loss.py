"""Focal loss: samples that are told apart with ease count for little (Lin et al., arXiv 1708.02002)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._batch import class_count
from progtrain.actions._measuring import measures
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused
from progtrain.script.reading.structure import ParsedScript, rebuild

_FUNCTION: Final = "torch.nn.functional.cross_entropy"
_MODULE: Final = "torch.nn.CrossEntropyLoss"
_NAME: Final = "focal_loss"
_DEFINITION: Final = '''\
def focal_loss(scores, targets):
    """Cross entropy times (1 - p) ** 2, p the probability of the right class (arXiv 1708.02002)."""
    losses = {cross_entropy}(scores, targets, reduction="none")
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
        classes = class_count(snapshot)
        [call] = [call for call in snapshot.calls if call.function == "cross_entropy"]
        if len(call.shapes) > 2 or (snapshot.train is not None and "Weighted" in snapshot.train.sampler):
            raise EditError("the classes are weighted already")
        if call.arguments.get("label_smoothing"):
            raise EditError("the labels are smoothed, so that the cross entropy does not tell the right class's share")
        change = f"the cross entropy of {classes} classes becomes focal loss, with an exponent of 2"
        return Binding({}, change, self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source, cross_entropy = reference(source, _FUNCTION)
        script = ParsedScript(source)
        if script.defines(_NAME):
            raise EditError(f"Expected the name {_NAME} to be free, got one in use. It is applied already, or taken.")
        places = _places(script)
        if not places:
            raise EditError("Expected a plain cross entropy of scores and targets for training, found none.")
        first = min(places, key=script.start)
        definition = script.define_before(first, _DEFINITION.format(cross_entropy=cross_entropy))
        edits = [definition, *(script.replace(place, _NAME) for place in places)]
        return changed(source, without_unused(rebuild(source, edits), _MODULE), self.name)


def _places(script: ParsedScript) -> list[ast.expr]:
    """The expressions that name what computes the training's loss, to be replaced."""
    places: list[ast.expr] = [call.func for call in _training(script, _FUNCTION)]
    for made in script.calls():
        holder = script.parent(made)
        if script.called(made) != _MODULE or made.args or made.keywords or not isinstance(holder, ast.Assign):
            continue
        held = [ast.unparse(target) for target in holder.targets]
        training = _training(script, *held)
        measuring = [call for call in script.calls() if ast.unparse(call.func) in held and measures(script, call)]
        # Where validation measures by the same module, that one stays.
        places += [call.func for call in training] if measuring else [made]
    return places


def _training(script: ParsedScript, *names: str) -> list[ast.Call]:
    """The calls of these that train, each with scores and targets and nothing else."""
    named = [call for call in script.calls() if {script.called(call), ast.unparse(call.func)} & {*names}]
    calls = [call for call in named if not measures(script, call)]
    crowded = next((call for call in calls if len(call.args) != 2 or call.keywords), None)
    if crowded is not None:
        raise EditError(f"Line {crowded.lineno}: expected a cross entropy of scores and targets alone, by position.")
    return calls
