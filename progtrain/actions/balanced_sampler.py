"""A sampler that draws every class equally often."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._batch import class_loss, require_pairs
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import add_import, reference
from progtrain.script.reading.index import Index
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.sites import Sites
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild
from progtrain.script.reading.uses import Uses


class BalancedSampler(StructuralAction):
    """Replace shuffling by a WeightedRandomSampler, with weights inverse to the class frequencies."""

    family = "data"
    touches = frozenset({"shuffle", "sampler"})
    answers = ("imbalanced",)
    risk = "medium"
    probability = 0.45
    gain = 0.12
    goal = "Show rare classes as often as frequent ones"
    expected_impact = "The rarest class's recall rises, and its samples may be learnt by heart"
    verification = "The rarest class's recall is above the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        require_pairs(snapshot)
        if len(class_loss(snapshot).shapes) > 2:
            raise EditError("the loss weights the classes already")
        if snapshot.train is None or snapshot.train.sampler != "RandomSampler":
            raise EditError("the training loader does not shuffle by itself")
        return Binding({}, "the training loader draws every class equally often", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source, sampler = reference(add_import(source, "torch"), "torch.utils.data.WeightedRandomSampler")
        function = f'''\
def balanced_sampler(dataset):
    """Draws with replacement, every class equally often."""
    targets = torch.tensor([int(target) for _, target in dataset])
    counts = torch.bincount(targets).clamp(min=1)
    return {sampler}((1 / counts[targets]).tolist(), len(targets))'''
        definition = find_module(ParsedScript(source)).define(function)
        index = Index(source)
        dataset, shuffle = _loader(index)
        start, end = index.span(shuffle)
        if start < definition.start and index.function(shuffle.value) is None:
            raise EditError(f"Line {shuffle.value.lineno}: expected the loader to be made below the LightningModule.")
        edits = [definition, Edit(start, end, f"sampler=balanced_sampler({index.text(dataset)})")]
        return changed(source, rebuild(source, edits), self.name)


def _loader(index: Index) -> tuple[ast.expr, ast.keyword]:
    """The training loader's data set and its `shuffle=True`.

    Raises:
        EditError: there is no such loader.
    """
    found = Uses(index, Sites(index)).train_loader()
    if found is None:
        raise EditError("Expected one DataLoader of the training set, found none.")
    call, _ = found
    given = {keyword.arg: keyword for keyword in call.keywords}
    dataset = call.args[0] if call.args else given["dataset"].value if "dataset" in given else None
    shuffle = given.get("shuffle")
    if not isinstance(dataset, ast.Name | ast.Attribute) or shuffle is None:
        raise EditError(f"Line {call.lineno}: expected DataLoader(name, shuffle=True). Write it so.")
    return dataset, shuffle
