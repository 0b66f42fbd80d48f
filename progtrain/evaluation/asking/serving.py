"""What serving a version must give, taken from its evaluation: the first samples' inputs and answers."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from progtrain.evaluation.asking.decoding import decode, predictions_of
from progtrain.evaluation.asking.inference import ask, predict_step_heard
from progtrain.evaluation.showing.presentation import Names, served_answer
from progtrain.evaluation.yardstick.batches import Batch, ValidationSet, as_array
from progtrain.evaluation.yardstick.stated import Outputs, Yardstick
from progtrain.evaluation.yardstick.vocabulary import read_vocabulary
from progtrain.serving import ServingExample, write_example
from progtrain.workspace import Workspace

#: Enough that two ways of reading outputs do not agree by chance on all of them.
_SAMPLES: Final = 32
#: Numbers; a request that is larger is not kept for every sample of every version.
_LARGEST_REQUEST: Final = 20_000
Layout = Literal["tensor", "sequence", "named", "mapping"]


@dataclass(frozen=True)
class Called:
    """The inputs of a batch as `forward` takes them.

    Args:
        layout: one tensor, several by position, some by name, or one mapping.
        tensors: `[B, ...]` by name, in order.
    """

    layout: Layout
    tensors: Mapping[str, Tensor]


def called_with(model: nn.Module, inputs: Any) -> Called | None:
    """How `forward` is called with a batch's inputs; None where they are not tensors alone.

    Follows `progtrain.evaluation.asking.inference.forward`.
    """
    accepted = list(inspect.signature(model.forward).parameters)
    layout: Layout
    if isinstance(inputs, Tensor):
        layout, tensors = "tensor", {"inputs": inputs}
    elif isinstance(inputs, Mapping):
        named = {key: value for key, value in inputs.items() if key in accepted}
        layout, tensors = ("named", named) if named else ("mapping", dict(inputs))
        if not named and len(inputs) == 1:
            layout = "sequence"
    elif isinstance(inputs, tuple | list):
        names = accepted if len(accepted) == len(inputs) else [f"input_{i}" for i in range(len(inputs))]
        layout, tensors = "sequence", dict(zip(names, inputs, strict=True))
    else:
        return None
    return Called(layout, tensors) if all(isinstance(value, Tensor) for value in tensors.values()) else None


def keep_example(
    workspace: Workspace,
    version: str,
    model: nn.Module,
    data: ValidationSet,
    samples: Sequence[Batch],
    yardstick: Yardstick,
    prepdata: Path,
    names: Names,
) -> None:
    """Ask for the first samples as serving would, and keep inputs and answers for the model that is registered.

    Args:
        workspace: where they are kept.
        version: whose model it is.
        model: with its trained weights, in evaluation mode.
        data: the validation set.
        samples: some of its samples, each a batch of one; they tell in which axes samples differ in length.
        yardstick: how it is asked.
        prepdata: folder of the prepared data set.
        names: what stats.json says of the data.
    """
    batch = data.first(_SAMPLES)
    called = called_with(model, batch.inputs)
    if called is None:
        return
    device = next(model.parameters(), torch.empty(0)).device
    with predict_step_heard(model) as heard:
        asked = next(ask(model, [batch], yardstick, device, yardstick.task == "transcription"))
    known = predictions_of([decode(asked, yardstick.task, yardstick.loss)], None)
    answers = [served_answer(answer, known.outputs[i], yardstick.task, names) for i, answer in enumerate(known.answers)]
    example = ServingExample(
        task=yardstick.task,
        layout=called.layout,
        names=tuple(called.tensors),
        varying=_varying([called_with(model, sample.inputs) for sample in samples]),
        predicts=bool(heard),
        outputs=_source(yardstick.outputs),
        classes=names.classes,
        symbols=read_vocabulary(prepdata) if yardstick.task == "transcription" else (),
        answers=tuple(answers),
        threads=torch.get_num_threads(),
        device=str(device),
    )
    arrays = {name: as_array(tensor) for name, tensor in called.tensors.items()}
    write_example(workspace, version, example, arrays)


def _source(outputs: Outputs | None) -> str:
    """The text of outputs() of 03_eval.py, without decorators; empty where the model's forward is all."""
    if outputs is None:
        return ""
    lines = textwrap.dedent(inspect.getsource(outputs)).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("@"))


def requests_of(model: nn.Module, samples: Sequence[Batch]) -> tuple[str, ...]:
    """The text of every sample's request.json: the body that asks a served model for it; empty where there is none.

    Args:
        model: how its forward is called decides the names.
        samples: each a batch of one.
    """
    return tuple(_request(called_with(model, sample.inputs)) for sample in samples)


def _request(called: Called | None) -> str:
    if called is None or sum(tensor.numel() for tensor in called.tensors.values()) > _LARGEST_REQUEST:
        return ""
    lists = {name: tensor.tolist() for name, tensor in called.tensors.items()}
    return json.dumps({"inputs": lists["inputs"] if called.layout == "tensor" else lists})


def _varying(samples: Sequence[Called | None]) -> tuple[tuple[int, ...], ...]:
    """Of every input, the axes in which samples differ."""
    shapes = [[tuple(tensor.shape) for tensor in called.tensors.values()] for called in samples if called is not None]
    found = []
    for of_input in zip(*shapes, strict=True):
        axes = range(1, len(of_input[0]))
        found.append(tuple(axis for axis in axes if len({shape[axis] for shape in of_input}) > 1))
    return tuple(found)
