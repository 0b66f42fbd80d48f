"""The samples that are shown one by one: truth, answer, and what became of them since the version before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from progtrain.edits import distances
from progtrain.predictions import Predictions, counted, right
from progtrain.reporting.groups import name_of
from progtrain.tasks import Task, has_values

LONGEST = 60
"""Characters of a text that a table's cell shows."""
FEW = 4
"""Numbers of a forecast that are shown each."""


@dataclass(frozen=True)
class SampleLine:
    """One of infer_samples; `before` is the earlier answer, and `note` what became of it."""

    folder: str
    sample_id: str
    truth: str
    answer: str
    loss: float
    before: str
    note: str


def describe_samples(
    now: Predictions, before: Predictions | None, sample_ids: Sequence[str], task: Task, names: Sequence[str]
) -> tuple[SampleLine, ...]:
    """One line a sample, in the order of `sample_ids`; one that is not on record is left out."""
    places = {str(sample_id): row for row, sample_id in enumerate(now.sample_ids)}
    rows = [(position, places[name]) for position, name in enumerate(sample_ids, start=1) if name in places]
    return tuple(
        SampleLine(
            folder=f"{position:04d}",
            sample_id=str(now.sample_ids[row]),
            truth=_truth(now, row, task, names),
            answer=_answer(now, row, task, names),
            loss=float(now.losses[row]),
            before="" if before is None else _answer(before, row, task, names),
            note=_note(now, before, row, task),
        )
        for position, row in rows
    )


def _truth(predictions: Predictions, row: int, task: Task, names: Sequence[str]) -> str:
    if task in ("token-classification", "segmentation", "language-modelling"):
        kind = "pixels" if task == "segmentation" else "tokens"
        return f"{int(counted(predictions)[row].sum())} {kind}"
    return _value(predictions.targets[row], task, names)


def _answer(predictions: Predictions, row: int, task: Task, names: Sequence[str]) -> str:
    if task in ("token-classification", "segmentation", "language-modelling"):
        known = counted(predictions)[row]
        same = predictions.answers[row].reshape(known.shape)[known] == predictions.targets[row][known]
        return f"{float(same.mean()):.1%} right" if same.size else "nothing to answer"
    return _value(predictions.answers[row], task, names)


def _value(value: object, task: Task, names: Sequence[str]) -> str:
    flat = np.asarray(value).ravel()
    if task == "transcription":
        text = str(flat[0])
        return f"`{text if len(text) <= LONGEST else text[:LONGEST] + '…'}`" if text else "(nothing)"
    if has_values(task):
        if flat.size > FEW:
            return f"{flat.size} values, mean {float(np.nanmean(flat)):.4g}"
        return " ".join(f"{float(number):.4g}" for number in flat)
    if task == "multilabel-classification":
        return ", ".join(name_of(index, names) for index in np.flatnonzero(flat == 1).tolist()) or "none"
    return name_of(int(flat[0]), names)


def _note(now: Predictions, before: Predictions | None, row: int, task: Task) -> str:
    if has_values(task) or task == "language-modelling":
        if before is None:
            return ""
        change = float(now.losses[row] - before.losses[row])
        return "closer than before" if change < 0 else "further off than before" if change > 0 else "as before"
    is_right = bool(right(now)[row])
    if before is None:
        note = "right" if is_right else "wrong"
    elif is_right == (was_right := bool(right(before)[row])):
        note = "right as before" if was_right else "wrong as before"
    else:
        note = "wrong before, right now" if is_right else "right before, wrong now"
    return note + (_edits_of(now, before, row) if task == "transcription" else "")


def _edits_of(now: Predictions, before: Predictions | None, row: int) -> str:
    truth = str(now.targets[row])
    count = int(distances([str(now.answers[row])], [truth])[0])
    earlier = count if before is None else int(distances([str(before.answers[row])], [truth])[0])
    if not (count or earlier):
        return ""
    return f" ({count} edits{'' if before is None else f', {earlier} before'})"
