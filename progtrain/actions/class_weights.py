"""Class weights: rare classes count for as much as frequent ones in the training's cross entropy."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._batch import class_count, class_loss, require_pairs
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._training_data import filled_before_fit
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import add_import, reference
from progtrain.script.editing.training_loss import model_at, recomputed, with_argument
from progtrain.script.reading.lightning_module import ModuleText, find_module
from progtrain.script.reading.losses import LossCall, Losses
from progtrain.script.reading.structure import ParsedScript, rebuild
from progtrain.script.settings.knob_values import CLASS_LOSSES


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
        if len(class_loss(snapshot).shapes) > 2:
            raise EditError("the classes are weighted already")
        if snapshot.train is not None and "Weighted" in snapshot.train.sampler:
            raise EditError("the training loader balances the classes already")
        return Binding({"classes": classes}, f"{classes} classes count alike in the training loss", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source = add_import(source, "torch")
        if _loss(Losses(source)).made is not None:
            source, function = reference(source, f"torch.nn.functional.{_loss(Losses(source)).function}")
        losses, module = Losses(source), find_module(ParsedScript(source))
        loss = _loss(losses)
        weight = f"{_model(losses, loss, module)}.class_weights"
        edits = [
            *filled_before_fit(
                module,
                "set_class_weights",
                "The inverse of each class's share of the training targets; 1 where all are as frequent.",
                (
                    "targets = torch.cat([targets for _, targets in batches])",
                    f"counts = torch.bincount(targets, minlength={parameters['classes']}).clamp(min=1)",
                    "model.class_weights.copy_(len(targets) / (len(counts) * counts))",
                ),
            )
        ]
        buffer = f'self.register_buffer("class_weights", torch.ones({parameters["classes"]}))'
        if loss.made is None:
            edits += with_argument(losses, loss, "weight", weight, "None")
        else:
            edits += recomputed(losses, loss, function, f"weight={weight}")
        return changed(source, rebuild(source, [*edits, module.in_init(buffer)]), self.name)


def _loss(losses: Losses) -> LossCall:
    """The training's one loss over classes."""
    calls = losses.training(*CLASS_LOSSES)
    plain = [loss for loss in calls if loss.given("weight") is None and len(loss.call.args) < 3]
    if len(plain) != 1 or len(calls) != 1:
        raise EditError(losses.lost() or f"Expected one unweighted cross entropy in training, found {len(plain)}.")
    return plain[0]


def _model(losses: Losses, loss: LossCall, module: ModuleText) -> str:
    """How the loss's place names the LightningModule, which keeps the weights."""
    holder, owner = model_at(losses, loss)
    if not holder or owner is None or module.owner.name not in (owner.name, *losses.derived(owner)):
        raise EditError(
            f"Line {loss.call.lineno}: expected the loss in a method of {module.owner.name}, which is to keep the "
            "weights. Compute it there."
        )
    return holder
