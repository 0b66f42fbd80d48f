"""Random shifts along the last axis: what is seen stands elsewhere, and is still the same."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation, require_classification, signal_length
from progtrain.actions.base import Situation

_SHARE = 20
"""A shift goes up to a 20th of the length either way."""


class ShiftAugmentation(Augmentation):
    """Roll every training sample along its last axis by a random distance."""

    answers = ("overfitting", "benign-gap")
    probability = 0.55
    gain = 0.12
    goal = "Show every sample at many places, so that where it stands is not learnt by heart"

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        require_classification(situation.snapshot)
        return {"furthest": max(1, signal_length(situation) // _SHARE)}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"training samples are rolled along their last axis by up to {settings['furthest']} places"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        furthest = settings["furthest"]
        assert isinstance(furthest, int)
        return f'''\
def randomly_shifted(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample rolled along its last axis by up to {furthest} places."""
    length = inputs.shape[-1]
    distances = torch.randint(-{furthest}, {furthest + 1}, (len(inputs), 1), device=inputs.device)
    places = (torch.arange(length, device=inputs.device) - distances) % length
    places = places.reshape(len(inputs), *[1] * (inputs.dim() - 2), length).expand_as(inputs)
    return inputs.gather(-1, places), targets'''
