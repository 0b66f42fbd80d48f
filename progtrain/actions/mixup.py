"""Mixup: training on blends of two samples and of their targets (Zhang et al., arXiv 1710.09412)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation
from progtrain.actions._batch import class_loss, input_shape, require_log_softmax
from progtrain.actions._structural import Binding
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.editing.training_loss import recomputed
from progtrain.script.reading.losses import Losses
from progtrain.script.reading.structure import rebuild

_ALPHA = 0.2
#: What measures a training batch's answers against class numbers, which blended targets are not.
_MEASURES = frozenset({"argmax", "eq", "topk"})


class Mixup(Augmentation):
    """Blend every training sample with another of its batch, and their classes in the same proportion."""

    # nll_loss takes no blended classes, and becomes cross entropy, without smoothing; of log_softmax they are the same.
    touches = frozenset({"augmentation", "loss", "label_smoothing"})
    probability = 0.25
    gain = 0.1
    goal = "Make the answers change steadily between one sample and another"
    expected_impact = "The training loss ends far higher, as its targets are blends; the validation loss lower"
    verification = "The best validation loss is below the parent's; training losses cannot be compared"
    uses_functional = True

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        input_shape(situation.snapshot)
        measured = [call.function for call in situation.snapshot.calls if call.function in _MEASURES]
        if measured:
            raise EditError(f"the training step measures its answers against class numbers, by {measured[0]}")
        require_log_softmax(situation.snapshot)
        loss = class_loss(situation.snapshot)
        classes: dict[str, JsonValue] = {"classes": loss.shapes[0][1]}
        return classes if loss.function == "cross_entropy" else {**classes, "instead_of": loss.function}

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        binding = super().bind(situation)
        return binding if "instead_of" in binding.parameters else replace(binding, touches=frozenset({"augmentation"}))

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        if "instead_of" not in parameters:
            return super().apply(source, parameters)
        source, cross_entropy = reference(source, "torch.nn.functional.cross_entropy")
        losses = Losses(source)
        calls = losses.training("nll_loss")
        if len(calls) != 1:
            raise EditError(losses.lost() or f"Expected one nll_loss in training, found {len(calls)}.")
        return super().apply(rebuild(source, recomputed(losses, calls[0], cross_entropy)), parameters)

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"training samples and their classes are blended in pairs, by Beta({_ALPHA}, {_ALPHA})"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        return f'''\
def mixed_up(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample blended with another of the batch, and their classes with it (arXiv 1710.09412)."""
    others = torch.randperm(len(inputs), device=inputs.device)
    shares = torch.distributions.Beta({_ALPHA}, {_ALPHA}).sample((len(inputs),)).to(inputs)
    classes = {functional}.one_hot(targets, {settings["classes"]}).to(inputs)
    share = shares.reshape(-1, *[1] * (inputs.dim() - 1))
    inputs = share * inputs + (1 - share) * inputs[others]
    return inputs, shares[:, None] * classes + (1 - shares[:, None]) * classes[others]'''
