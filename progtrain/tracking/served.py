"""A trained version as an MLflow model from code: this file is copied into the model and stands without progtrain."""

from __future__ import annotations

import contextlib
import functools
import json
import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel
from torch import Tensor, nn

FACTS_FILE = "served.json"
CODE_FILE = "served_code.py"
#: Precision of a Trainer -> numbers of the module itself, and numbers that its operations are done in.
TRUE = {"64-true": torch.float64, "bf16-true": torch.bfloat16, "16-true": torch.float16}
MIXED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
HALVES = (torch.bfloat16, torch.float16)

Form = Literal["pt2", "code"]
Source = Literal["forward", "predict_step"]
Reading = Literal["argmax", "above", "values", "ctc", "texts"]


@dataclass(frozen=True)
class Decoding:
    """How outputs become answers.

    Args:
        source: what is read: the raw outputs of `forward`, or what the module's own `predict_step` returns.
        reading: the greatest of an axis, whether above a threshold, the values themselves, CTC's greedy text, or the
            texts that are there already.
        axis: of the classes.
        threshold: above it is a yes.
        blank: CTC's class for "no symbol".
        time_first: whether frames come as `[T, B, C]`.
        symbols: of every class of a frame.
    """

    source: Source
    reading: Reading
    axis: int = 1
    threshold: float = 0.0
    blank: int = 0
    time_first: bool = False
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the model's served.json says.

    Args:
        form: an exported graph (`model.pt2`), or the script's own code and its checkpoint.
        layout: how `forward` takes the inputs: `tensor`, `sequence`, `named` or `mapping`.
        names: of the inputs, in order.
        decoding: how outputs become answers.
        classes: their names; empty where nobody told.
        scores: whether an answer is given with the raw outputs.
        script: file name, for the form `code`.
        kind: the module's class, with the name of its module in front, for the form `code`.
        outputs: text of the function that makes outputs of the module and its inputs, where they are more than what
            its `forward` gives; for the form `code`, a graph has it in itself.
        precision: of the Trainer; for the form `code`, a graph has it in itself.
    """

    form: Form
    layout: str
    names: tuple[str, ...]
    decoding: Decoding
    classes: tuple[str, ...]
    scores: bool
    script: str = ""
    kind: str = ""
    outputs: str = ""
    precision: str = "32-true"

    def write(self, folder: Path) -> None:
        """Write `folder`/served.json."""
        (folder / FACTS_FILE).write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> Facts:
        """Read `folder`/served.json."""
        said = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        return Facts(**{**said, "decoding": Decoding(**said["decoding"])})


class Graph(nn.Module):
    """An exported graph, which takes its tensors by position, called as the module that it was exported from."""

    def __init__(self, graph: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.graph, self.names = graph, tuple(names)

    def forward(self, *inputs: Any) -> Any:
        """Outputs `[B, ...]` of inputs by position or in one mapping."""
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            inputs = tuple(inputs[0][name] for name in self.names)
        return self.graph(*(each.float() if each.dtype in HALVES else each for each in inputs))


class WithOutputs(nn.Module):
    """A module whose answers are more than what its own `forward` gives.

    Args:
        module: the script's.
        text: of the function `outputs(model, inputs)`; empty where `forward` is all.
    """

    def __init__(self, module: nn.Module, text: str) -> None:
        super().__init__()
        scope: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
        exec(text, scope)
        self.module, self.outputs = module, scope["outputs"]

    def forward(self, *inputs: Any) -> Any:
        """Outputs `[B, ...]` of inputs by position."""
        return self.outputs(self.module, inputs[0] if len(inputs) == 1 else inputs)

    def predict_step(self, batch: Any, batch_idx: int) -> Any:
        """What the script's own module answers."""
        own: Any = self.module
        return own.predict_step(batch, batch_idx)


def keep_precision(module: nn.Module, precision: str) -> None:
    """Let a module compute as in its Trainer, also where there is none: `forward` and `predict_step`, on the CPU."""
    for name in ("forward", "predict_step") if precision in TRUE or precision in MIXED else ():
        own = getattr(module, name, None)
        if own is not None:
            setattr(module, name, _in_precision(own, precision))


def _in_precision(function: Callable[..., Any], precision: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        before = torch.get_default_dtype()
        torch.set_default_dtype(TRUE.get(precision, before))
        mixed = torch.autocast("cpu", MIXED[precision]) if precision in MIXED else contextlib.nullcontext()
        try:
            with mixed:
                return function(*_converted(args, precision), **_converted(kwargs, precision))
        finally:
            torch.set_default_dtype(before)

    return within


def _converted(value: Any, precision: str) -> Any:
    """The fractions in what a module is called with, as numbers of the kind that it has itself."""
    if isinstance(value, Tensor):
        return value.to(TRUE.get(precision, value.dtype)) if value.is_floating_point() else value
    if isinstance(value, Mapping):
        return {key: _converted(each, precision) for key, each in value.items()}
    return type(value)(_converted(each, precision) for each in value) if isinstance(value, tuple | list) else value


def load_module(folder: Path) -> nn.Module:
    """The module, in evaluation mode.

    Args:
        folder: the `artifacts` of a model: served.json, and model.pt2 or served_code.py, the script and best.ckpt.
    """
    facts = Facts.read(folder)
    if facts.form == "pt2":
        return Graph(torch.export.load(folder / "model.pt2").module(), facts.names)
    rebuild = runpy.run_path(str(folder / CODE_FILE))["rebuild"]
    module: nn.Module = rebuild(folder, facts.script, facts.kind, TRUE.get(facts.precision))
    answering = WithOutputs(module, facts.outputs).eval() if facts.outputs else module
    keep_precision(answering, facts.precision)
    return answering


def outputs_of(module: nn.Module, facts: Facts, inputs: Mapping[str, Tensor]) -> Any:
    """What `forward` returns for inputs `[B, ...]` by name, called as its layout has it."""
    if facts.form == "pt2":
        return module(*(inputs[name] for name in facts.names))
    return call(module, facts.layout, inputs)


def call(module: nn.Module, layout: str, inputs: Mapping[str, Tensor]) -> Any:
    """Call a module as its script's validation data are given to it."""
    if layout == "named":
        return module(**inputs)
    return module(dict(inputs)) if layout == "mapping" else module(*inputs.values())


def answers_of(module: nn.Module, facts: Facts, inputs: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """One record a sample: its answer, the class's name where it has one, and the scores."""
    outputs = (
        as_tensor(outputs_of(module, facts, inputs)) if facts.scores or facts.decoding.source == "forward" else None
    )
    read = outputs if facts.decoding.source == "forward" else _by_predict_step(module, facts, inputs)
    answers = decoded(read, facts.decoding)
    found: list[dict[str, Any]] = []
    for i, answer in enumerate(answers):
        record: dict[str, Any] = {"answer": answer}
        if facts.classes:
            record["label"] = _label(answer, facts)
        if facts.scores and outputs is not None:
            record["scores"] = _squeezed(outputs)[i].float().tolist()
        found.append(record)
    return found


def decoded(read: Any, decoding: Decoding) -> list[Any]:
    """The answers in raw outputs `[B, ...]`, one a sample, as plain numbers, lists or texts."""
    if decoding.reading == "texts":
        return [str(text) for text in read]
    values = as_tensor(read)
    if decoding.reading == "ctc":
        frames = values.transpose(0, 1) if decoding.time_first else values
        return [_spelt(row, decoding) for row in frames.argmax(dim=-1)]
    if decoding.reading == "argmax":
        if values.shape[decoding.axis] == 1:
            raise IndexError("One score has no greatest: it is read by a threshold.")
        return list(values.argmax(dim=decoding.axis).tolist())
    values = _squeezed(values)
    if decoding.reading == "above" and values.ndim > 3 and values.shape[1] == 1:
        values = values.squeeze(1)  # a mask has no axis of classes
    return list((values > decoding.threshold).long().tolist() if decoding.reading == "above" else values.tolist())


def as_tensor(result: Any) -> Tensor:
    """The tensor of a result: itself, its `logits`, or the first of several."""
    if isinstance(result, Mapping):
        result = result["logits"]
    elif isinstance(result, tuple | list):
        result = result[0]
    if not isinstance(result, Tensor):
        raise TypeError(f"Expected the module to return a tensor, got {type(result).__name__}.")
    return result


def _by_predict_step(module: nn.Module, facts: Facts, inputs: Mapping[str, Tensor]) -> Any:
    """`predict_step` expects a batch as the loader gives it, targets included, or the inputs alone."""
    step: Any = module.predict_step
    tensors = tuple(inputs.values())
    if facts.layout in ("named", "mapping"):
        return step(dict(inputs), 0)
    try:
        return step((*tensors, None), 0)
    except (TypeError, AttributeError, ValueError, RuntimeError):
        return step(tensors[0] if len(tensors) == 1 else tensors, 0)


def _label(answer: Any, facts: Facts) -> Any:
    """The name of a class, of each class in a row, or of those labels that hold."""
    if isinstance(answer, list) and facts.decoding.reading == "above":
        answer = [index for index, holds in enumerate(answer) if holds]
    if isinstance(answer, list):
        return [_name(entry, facts.classes) for entry in answer]
    return _name(answer, facts.classes)


def _name(index: int, classes: Sequence[str]) -> str:
    return classes[index] if 0 <= index < len(classes) else str(index)


def _spelt(row: Tensor, decoding: Decoding) -> str:
    merged = [index for index in torch.unique_consecutive(row).tolist() if index != decoding.blank]
    symbols = [decoding.symbols[index] for index in merged]
    apart = any(len(symbol) > 1 and not symbol.startswith("<") for symbol in decoding.symbols)
    return (" " if apart else "").join(symbol for symbol in symbols if symbol)


def _squeezed(values: Tensor) -> Tensor:
    return values.squeeze(-1) if values.ndim > 1 and values.shape[-1] == 1 else values


class ServedVersion(PythonModel):
    """What MLflow loads and calls."""

    def load_context(self, context: Any) -> None:
        """Build the module; MLflow asks for exactly this signature."""
        folder = Path(context.artifacts["facts"]).parent
        self._facts, self._module = Facts.read(folder), load_module(folder)

    def predict(
        self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Answer a batch: an array, or one by the name of every input."""
        said: Any = model_input  # MLflow warns of a type that says mapping as well
        given = said if isinstance(said, Mapping) else {self._facts.names[0]: said}
        inputs = {name: torch.from_numpy(np.array(given[name])) for name in self._facts.names}
        with torch.inference_mode():
            return answers_of(self._module, self._facts, inputs)


set_model(ServedVersion())
