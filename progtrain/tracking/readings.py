"""Which way of reading a module's outputs gives the answers that its evaluation saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from progtrain.errors import TrackingError
from progtrain.serving import ServingExample
from progtrain.tracking.served import Decoding, Facts, Source, answers_of, as_tensor, call


def decoding_for(module: nn.Module, example: ServingExample, inputs: Mapping[str, Tensor]) -> Decoding:
    """The first decoding that gives every one of the example's answers.

    Raises:
        TrackingError: none does.
    """
    outputs = as_tensor(call(module, example.layout, inputs))
    facts = Facts("code", example.layout, example.names, Decoding("forward", "values"), (), scores=False)
    wanted = [answer["answer"] for answer in example.answers]
    sources: tuple[Source, ...] = ("predict_step",) if example.predicts else ("forward",)
    for source in sources:
        for decoding in _candidates(source, example, outputs):
            if _gives(module, replace(facts, decoding=decoding), inputs, wanted):
                return decoding
    raise TrackingError(
        f"Expected answers that follow from the module's outputs (the greatest score, a threshold at 0 or 0.5, the "
        f"values, CTC's greedy text) or from its predict_step; the evaluation answered otherwise to its first "
        f"{len(wanted)} samples. Answer in a predict_step of the module, then its model can be registered."
    )


def _gives(module: nn.Module, facts: Facts, inputs: Mapping[str, Tensor], wanted: list[Any]) -> bool:
    try:
        got = [answer["answer"] for answer in answers_of(module, facts, inputs)]
    except (RuntimeError, IndexError, TypeError, ValueError):
        return False  # a reading that these outputs do not have
    return alike(got, wanted)


def alike(got: Any, wanted: Any) -> bool:
    """Texts and classes equal; numbers as near as two ways of computing them can be."""
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(alike, got, wanted))
    if isinstance(wanted, float) and isinstance(got, float | int):
        return abs(got - wanted) <= 1e-4 + 1e-3 * abs(wanted)
    return bool(got == wanted)


def _candidates(source: Source, example: ServingExample, outputs: Tensor) -> Iterator[Decoding]:
    if example.task == "transcription":
        yield from _of_texts(source, example, outputs)
    elif example.task in ("regression", "forecasting"):
        yield Decoding(source, "values")
    else:
        probabilities = bool(outputs.min() >= 0) and bool(outputs.max() <= 1)
        yield Decoding(source, "argmax", axis=1)
        yield Decoding(source, "argmax", axis=-1)
        for threshold in (0.5, 0.0) if probabilities else (0.0, 0.5):
            yield Decoding(source, "above", threshold=threshold)
        yield Decoding(source, "values")


def _of_texts(source: Source, example: ServingExample, outputs: Tensor) -> Iterator[Decoding]:
    """CTC with the blank where it usually is: first or last, in the list of symbols or beside it."""
    if source == "predict_step":
        yield Decoding(source, "texts")
        return
    for symbols, blank in (
        (example.symbols, 0),
        (("", *example.symbols), 0),
        ((*example.symbols, ""), len(example.symbols)),
        (example.symbols, len(example.symbols) - 1),
    ):
        if len(symbols) == outputs.shape[-1]:
            for time_first in (False, True):
                yield Decoding(source, "ctc", blank=blank, time_first=time_first, symbols=symbols)
