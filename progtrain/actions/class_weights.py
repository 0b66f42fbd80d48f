"""Class weights: rare classes count for as much as frequent ones in the training's cross entropy."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._batch import class_count, require_pairs
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._training_data import filled_before_fit
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.arguments import add_keyword
from progtrain.script.editing.edit import add_import
from progtrain.script.reading.index import Index
from progtrain.script.reading.lightning_module import ModuleText, find_module
from progtrain.script.reading.structure import ParsedScript, argument, rebuild

_FUNCTION = "torch.nn.functional.cross_entropy"


class ClassWeights(StructuralAction):
    """Weight each class in training by the inverse of its frequency, counted once before fitting."""

    family = "loss"
    touches = frozenset({"loss"})
    answers = ("imbalanced",)
    risk = "medium"
    probability = 0.5
    gain = 0.15
    goal = "Find the rare classes, too"
    expected_impact = "The rarest class's recall rises, its precision may fall; training losses cannot be compared"
    verification = "The rarest class's recall is above the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        require_pairs(snapshot)
        classes = class_count(snapshot)
        if any(len(call.shapes) > 2 for call in snapshot.calls if call.function == "cross_entropy"):
            raise EditError("the classes are weighted already")
        if snapshot.train is not None and "Weighted" in snapshot.train.sampler:
            raise EditError("the training loader balances the classes already")
        return Binding({"classes": classes}, f"{classes} classes count alike in the training loss", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source = add_import(source, "torch")
        module = find_module(ParsedScript(source))
        _loss(module)
        edits = filled_before_fit(
            module,
            "set_class_weights",
            "The inverse of each class's share of the training targets; 1 where all are as frequent.",
            (
                "targets = torch.cat([targets for _, targets in batches])",
                f"counts = torch.bincount(targets, minlength={parameters['classes']}).clamp(min=1)",
                "model.class_weights.copy_(len(targets) / (len(counts) * counts))",
            ),
        )
        buffer = f'self.register_buffer("class_weights", torch.ones({parameters["classes"]}))'
        index = Index(source)
        call = next(call for call in index.calls if index.span(call) == _loss(module))
        weighted = add_keyword(index, call, "weight=self.class_weights")
        return changed(source, rebuild(source, [*edits, module.in_init(buffer), *weighted]), self.name)


def _loss(module: ModuleText) -> tuple[int, int]:
    """Where the training step's cross entropy is, begin and end."""
    script = module.script
    calls = [
        node
        for node in ast.walk(module.training_step)
        if isinstance(node, ast.Call) and script.called(node) == _FUNCTION and argument(node, 2, "weight") is None
    ]
    if len(calls) != 1:
        raise EditError(f"Expected one unweighted F.cross_entropy in training_step, found {len(calls)}.")
    return script.start(calls[0]), script.end(calls[0])
