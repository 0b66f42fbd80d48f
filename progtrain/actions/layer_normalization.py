"""Layer normalization between hidden layers and their activations (Ba et al., arXiv 1607.06450)."""

from __future__ import annotations

from progtrain.actions._normalization import Normalization
from progtrain.script.reading.hidden import HiddenLayer


class LayerNormalization(Normalization):
    """Put LayerNorm before the activation of every hidden Linear layer, whatever the batch size."""

    answers = ("no-normalization", "unnormalized-values", "early-instability", "underfitting")
    probability = 0.5
    gain = 0.2
    goal = "Keep the scale of what reaches each activation the same throughout training, so that gradients flow"
    expected_impact = "Both losses fall faster"
    verification = "The training loss of the first three epochs is below the parent's"

    def module_for(self, hidden: HiddenLayer) -> str | None:
        """See Normalization."""
        return "LayerNorm" if hidden.kind == "Linear" else None
