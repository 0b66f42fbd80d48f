"""Gaussian noise on training inputs (Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", 1995)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation
from progtrain.actions._batch import input_shape
from progtrain.actions.base import Situation


class NoiseAugmentation(Augmentation):
    """Add noise of a twentieth of the batch's own spread to every training input."""

    probability = 0.35
    gain = 0.05
    goal = "Keep the model from learning single values of single samples by heart"

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        input_shape(situation.snapshot)
        return {"strength": 0.05}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"training inputs get Gaussian noise of {settings['strength']} times their spread"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        return f'''\
def with_noise(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs with Gaussian noise of {settings["strength"]} times each value's spread over the batch."""
    return inputs + {settings["strength"]} * inputs.std(dim=0, correction=0) * torch.randn_like(inputs), targets'''
