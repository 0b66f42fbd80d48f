"""Cutout: a random stretch of every training sample is blanked (DeVries and Taylor, arXiv 1708.04552)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation, require_classification, signal_length
from progtrain.actions.base import Situation

_SHARE = 10
"""The stretch is a 10th of the length."""


class Cutout(Augmentation):
    """Set a random stretch of every training sample's last axis to zero."""

    probability = 0.25
    gain = 0.04
    goal = "Make the model look at all of a sample, as any part of it may be missing"

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        require_classification(situation.snapshot)
        return {"width": max(1, signal_length(situation) // _SHARE)}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"{settings['width']} neighbouring values of every training sample are set to zero"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        return f'''\
def cut_out(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample with {settings["width"]} neighbouring values of its last axis set to zero."""
    length = inputs.shape[-1]
    begins = torch.randint(length - {settings["width"]} + 1, (len(inputs), 1), device=inputs.device)
    places = torch.arange(length, device=inputs.device)
    is_cut = (places >= begins) & (places < begins + {settings["width"]})
    return inputs.masked_fill(is_cut.reshape(len(inputs), *[1] * (inputs.dim() - 2), length), 0), targets'''
