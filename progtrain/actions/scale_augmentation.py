"""Random amplitudes: a signal is the same, measured louder or more quietly."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation, require_classification, signal_length
from progtrain.actions.base import Situation


class ScaleAugmentation(Augmentation):
    """Multiply every training sample by a random factor near 1."""

    probability = 0.25
    gain = 0.03
    goal = "Show every sample at many amplitudes, which say little about what it is"

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        require_classification(situation.snapshot)
        signal_length(situation)
        return {"most": 0.2}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"training samples are multiplied by a random factor of 1 ± {settings['most']}"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        return f'''\
def randomly_scaled(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample multiplied by a factor of 1 ± {settings["most"]}."""
    one_each = (len(inputs), *[1] * (inputs.dim() - 1))
    return inputs * (1 + {settings["most"]} * (2 * torch.rand(one_each, device=inputs.device) - 1)), targets'''
