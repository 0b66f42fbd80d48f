"""What was observed of a script's validation, as far as 03_eval.py states it."""

from __future__ import annotations

from progtrain.records import Record


class Observation(Record):
    """How a script's own validation comes from a batch to its figures.

    Args:
        step: the method that was observed, `validation_step` or `training_step`.
        split: the body of split(); empty where the convention gives the same.
        outputs: the body of outputs(); empty where calling the model's forward gives the same.
        loss: the body of loss(); empty where it cannot be stated.
        loss_by_hand: whether the loss is none of torch's functions alone, but restated operation by operation.
        loss_reason: why the loss is not stated; empty where it is.
        used: what stands in the place of input, output and target, in words.
        single: whether an output is one score and not one a class.
        threshold: above which a single score means the second class.
        predict_step: whether the module's predict_step answers as the outputs do.
        predict_reason: why it is not asked; empty where it is, or where there is none.
        logged: metric -> the name under which the script logs it on the validation set.
        which: of several validation loaders that is measured, and why; empty where there is one.
        lacking: a function of 03_eval.py that has to be written by hand -> why; empty where there is none.
        candidates: what a person who writes it has to choose from, by name and shape.
    """

    step: str
    split: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    loss: tuple[str, ...] = ()
    loss_by_hand: bool = False
    loss_reason: str = ""
    used: str = ""
    single: bool = False
    threshold: str = "0"
    predict_step: bool = False
    predict_reason: str = ""
    logged: dict[str, str] = {}
    which: str = ""
    lacking: dict[str, str] = {}
    candidates: tuple[str, ...] = ()
