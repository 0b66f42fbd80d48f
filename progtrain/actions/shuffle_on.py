"""Shuffling: every epoch meets the training samples in another order."""

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError


class ShuffleOn(SetKnob):
    """Shuffle the training loader."""

    family = "data"
    touches = frozenset({"shuffle"})
    answers = ("unshuffled",)
    risk = "low"
    probability = 0.8
    gain = 0.35
    knob = "shuffle"
    goal = "Make every batch a fair sample of the training set"
    expected_impact = "The losses fall more evenly, and the validation metric ends higher"
    verification = "The validation metric at the best epoch is above the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        train = situation.snapshot.train
        if train is None or train.sampler != "SequentialSampler":
            drawn = "is not known" if train is None else f"comes from a {train.sampler}"
            raise EditError(f"the order of the training samples {drawn}")
        return True
