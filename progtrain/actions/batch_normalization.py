"""Batch normalization between hidden layers and their activations (Ioffe and Szegedy, arXiv 1502.03167)."""

from __future__ import annotations

from progtrain.actions._normalization import Normalization
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.script.reading.hidden import HiddenLayer, hidden_layers
from progtrain.script.reading.structure import ParsedScript

SMALLEST_BATCH = 16


class BatchNormalization(Normalization):
    """Put BatchNorm before the activation of every hidden Linear, Conv1d and Conv2d layer."""

    probability = 0.65
    gain = 0.3
    goal = "Keep the scale of what reaches each activation the same throughout training, so that gradients flow"
    expected_impact = "Both losses fall faster, and larger rates become usable"
    verification = "The training loss of the first three epochs is below the parent's"

    def module_for(self, hidden: HiddenLayer) -> str | None:
        """See Normalization."""
        return {"Linear": "BatchNorm1d", "Conv1d": "BatchNorm1d", "Conv2d": "BatchNorm2d"}[hidden.kind]

    def check_live(self, situation: Situation) -> None:
        """See Normalization; batches must be large enough, and features must be the second dimension."""
        super().check_live(situation)
        usable_batches(situation)
        deep = [
            call.shapes[0]
            for call in situation.snapshot.calls
            if call.function == "linear" and len(call.shapes[0]) != 2
        ]
        normalized = {hidden.kind for hidden in hidden_layers(ParsedScript(situation.anatomy.source))}
        if deep and "Linear" in normalized:
            raise EditError(f"BatchNorm1d wants linear layers to read [batch, features], and one reads {list(deep[0])}")


def usable_batches(situation: Situation) -> None:
    """Check that batch statistics mean something in every training batch.

    Raises:
        EditError: batches are too small, or the last one holds a single sample.
    """
    train = situation.snapshot.train
    if train is None or train.batch_size is None or train.batch_size < SMALLEST_BATCH:
        size = "an unknown size" if train is None or train.batch_size is None else f"{train.batch_size} samples"
        raise EditError(f"batch statistics want batches of at least {SMALLEST_BATCH}, and these have {size}")
    if train.size is not None and train.size % train.batch_size == 1:
        raise EditError("the last batch of an epoch would hold one sample, whose statistics are none")
