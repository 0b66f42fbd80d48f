"""What a Snapshot tells about a training batch."""

from __future__ import annotations

from progtrain.errors import EditError
from progtrain.records import Snapshot


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


def require_pairs(snapshot: Snapshot) -> None:
    """Check that batches are pairs of inputs and targets.

    Raises:
        EditError: they are something else.
    """
    if not isinstance(snapshot.batch, list) or len(snapshot.batch) != 2:
        raise EditError("a batch is not a pair of inputs and targets")


def class_count(snapshot: Snapshot) -> int:
    """The number of classes that the training's one cross entropy tells apart.

    Raises:
        EditError: the training step has not one cross entropy of [batch, classes] and class numbers.
    """
    calls = [call for call in snapshot.calls if call.function == "cross_entropy"]
    if len(calls) != 1 or len(calls[0].shapes) < 2 or [len(shape) for shape in calls[0].shapes[:2]] != [2, 1]:
        raise EditError("the training step has not one cross entropy of scores [batch, classes] and class numbers")
    match snapshot.batch:
        case [_, {"shape": [int()]}]:
            pass
        case _:
            raise EditError("the targets of a batch are not one class number a sample")
    return calls[0].shapes[0][1]
