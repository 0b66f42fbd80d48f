"""What a served model is to answer: the record that an evaluation leaves and that a registered model is held to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from progtrain.records import Record
from progtrain.tasks import Task
from progtrain.workspace import Workspace

RECORD: Final = "serving"
_ARRAYS: Final = "serving_inputs.npz"

Arrays = Mapping[str, NDArray[Any]]


class ServingExample(Record):
    """How a version is asked, and what it answered to the first samples of the validation set.

    Args:
        task: what the targets are.
        layout: how `forward` takes the inputs: one tensor, several by position, some by name, or one mapping.
        names: of the inputs, in order.
        varying: of every input, the axes besides the first in which samples differ in length.
        predicts: whether it is asked by the module's own `predict_step`.
        outputs: text of outputs() of 03_eval.py, where an answer is more than what `forward` gives; else empty.
        classes: their names; empty where the data set does not tell.
        symbols: of a transcription, that of every class, without CTC's blank where the data set leaves it out.
        answers: one a sample, as serving is to give it.
        threads: how many the evaluation computed with, latency_ms included.
        device: where the model was, for instance `cpu`.
    """

    task: Task
    layout: Literal["tensor", "sequence", "named", "mapping"]
    names: tuple[str, ...]
    varying: tuple[tuple[int, ...], ...]
    predicts: bool
    classes: tuple[str, ...]
    symbols: tuple[str, ...]
    answers: tuple[dict[str, JsonValue], ...]
    threads: int
    device: str
    outputs: str = ""


def write_example(workspace: Workspace, version: str, example: ServingExample, inputs: Arrays) -> None:
    """Keep a version's example; `inputs` has `[N, ...]` by the names of `example`."""
    np.savez(workspace.version_state(version) / _ARRAYS, allow_pickle=False, **inputs)
    workspace.write_record(example, RECORD, version)


def read_example(workspace: Workspace, version: str) -> tuple[ServingExample, dict[str, NDArray[Any]]] | None:
    """A version's example and its inputs; None where it is not evaluated or cannot be served."""
    example = workspace.read_record(ServingExample, RECORD, version)
    path: Path = workspace.version_state(version) / _ARRAYS
    if example is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return example, {name: arrays[name] for name in example.names}
