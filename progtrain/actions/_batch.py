"""What a Snapshot tells about a training batch."""

from __future__ import annotations

from progtrain.errors import EditError
from progtrain.records import Call, Snapshot
from progtrain.script.settings.knob_values import CLASS_LOSSES


def input_shape(snapshot: Snapshot) -> tuple[int, ...]:
    """Shape of the inputs in a training batch, the batch's size first.

    Raises:
        EditError: a batch is not a pair of inputs and targets, or the inputs are no floating-point tensor; or nothing
            is known of what a training step does with them.
    """
    if not snapshot.calls:
        raise EditError(f"what a training step does with its batch is not known: {' '.join(snapshot.notes)}")
    match snapshot.batch:
        case [{"shape": [int(), int(), *_] as shape, "dtype": str(dtype)}, _] if "float" in dtype:
            return tuple(size for size in shape if isinstance(size, int))
    raise EditError("a batch is not a pair of a floating-point tensor [batch, ...] and targets")


def require_other_targets(snapshot: Snapshot) -> None:
    """Check that a change of the inputs leaves alone what answers are compared with.

    Raises:
        EditError: the training's loss compares them with the inputs, or with what is made of them.
    """
    if snapshot.compared is not None and "inputs" in snapshot.compared:
        raise EditError(
            "the training's loss compares answers with the inputs of the batch, or with what is made of them: to vary "
            "the inputs would vary the targets"
        )


def require_pairs(snapshot: Snapshot) -> None:
    """Check that batches are pairs of inputs and targets.

    Raises:
        EditError: they are something else.
    """
    if not isinstance(snapshot.batch, list) or len(snapshot.batch) != 2:
        raise EditError("a batch is not a pair of inputs and targets")


def class_loss(snapshot: Snapshot) -> Call:
    """The training's one loss over classes: cross entropy of scores, or nll_loss of their logarithmic shares.

    Raises:
        EditError: the training step has not one of [batch, classes] and class numbers.
    """
    calls = [call for call in snapshot.calls if call.function in CLASS_LOSSES]
    if len(calls) != 1 or len(calls[0].shapes) < 2 or [len(shape) for shape in calls[0].shapes[:2]] != [2, 1]:
        raise EditError("the training step has not one cross entropy of scores [batch, classes] and class numbers")
    if snapshot.compared is not None and "targets" not in snapshot.compared:
        raise EditError("the classes that the training's loss is given are not known to be a batch's targets")
    match snapshot.batch:
        case [_, {"shape": [int()]}]:
            return calls[0]
    raise EditError("the targets of a batch are not one class number a sample")


def class_count(snapshot: Snapshot) -> int:
    """The number of classes that the training's one loss over classes tells apart.

    Raises:
        EditError: as `class_loss`.
    """
    return class_loss(snapshot).shapes[0][1]


def require_log_softmax(snapshot: Snapshot) -> None:
    """Check that a loss over classes may be written as cross entropy: its scores are any, or log_softmax of any.

    Raises:
        EditError: they are logarithms of something else.
    """
    functions = [call.function for call in snapshot.calls]
    if "nll_loss" in functions and "log_softmax" not in functions:
        raise EditError("the training step takes nll_loss of what is not log_softmax, which cross entropy would change")
