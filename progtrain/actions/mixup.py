"""Mixup: training on blends of two samples and of their targets (Zhang et al., arXiv 1710.09412)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation
from progtrain.actions._batch import class_count, input_shape
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_ALPHA = 0.2
#: What measures a training batch's answers against class numbers, which blended targets are not.
_MEASURES = frozenset({"argmax", "eq", "topk"})


class Mixup(Augmentation):
    """Blend every training sample with another of its batch, and their classes in the same proportion."""

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
        return {"classes": class_count(situation.snapshot)}

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
