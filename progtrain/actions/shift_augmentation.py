"""Random shifts along the last axis: what is seen stands elsewhere, and is still the same."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation, flat_image_side, require_classification, signal_length
from progtrain.actions.base import Situation

_SHARE = 20
"""A shift goes up to a 20th of the length either way."""
_SHARE_OF_IMAGE = 8
"""Of an image that lies flat, up to an eighth of its rows' length, the usual four of 32 pixels."""


class ShiftAugmentation(Augmentation):
    """Roll every training sample along its last axis by a random distance."""

    answers = ("overfitting", "benign-gap", "no-augmentation")
    probability = 0.55
    gain = 0.12
    goal = "Show every sample at many places, so that where it stands is not learnt by heart"

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        require_classification(situation.snapshot)
        if (side := flat_image_side(situation)) is not None:
            return {"furthest": max(1, side // _SHARE_OF_IMAGE), "side": side}
        return {"furthest": max(1, signal_length(situation) // _SHARE)}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        along = (
            f"the rows of their {settings['side']} by {settings['side']}" if "side" in settings else "their last axis"
        )
        return f"training samples are rolled along {along} by up to {settings['furthest']} places"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        furthest, side = settings["furthest"], settings.get("side")
        assert isinstance(furthest, int)
        opened = "" if side is None else f"    inputs = inputs.unflatten(-1, ({side}, {side}))\n"
        closed = "" if side is None else ".flatten(-2)"
        axis = "last axis" if side is None else f"rows, as images of {side} by {side}"
        return f'''\
def randomly_shifted(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample rolled along its {axis} by up to {furthest} places."""
{opened}    length = inputs.shape[-1]
    distances = torch.randint(-{furthest}, {furthest + 1}, (len(inputs), 1), device=inputs.device)
    places = (torch.arange(length, device=inputs.device) - distances) % length
    places = places.reshape(len(inputs), *[1] * (inputs.dim() - 2), length).expand_as(inputs)
    return inputs.gather(-1, places){closed}, targets'''
