"""The loop at a glance: Step 0, the steps of every version, the step between two versions, Step 7."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from progtrain.step_records import AnalyzeRecord, ChooseRecord, EvaluateRecord, StepRecord, TrainRecord
from progtrain.steps.analyze import analyze
from progtrain.steps.author import author
from progtrain.steps.choose import choose
from progtrain.steps.context import Context
from progtrain.steps.evaluate import evaluate
from progtrain.steps.initialize import initialize
from progtrain.steps.report import report
from progtrain.steps.train import train

__all__ = ["STEPS", "Context", "Step", "author", "initialize", "report"]


@dataclass(frozen=True)
class Step:
    """A step that every version goes through, and the record that says it was done."""

    name: str
    run: Callable[[Context, str], None]
    record: type[StepRecord]


STEPS = (
    Step("train", train, TrainRecord),
    Step("evaluate", evaluate, EvaluateRecord),
    Step("analyze", analyze, AnalyzeRecord),
    Step("choose", choose, ChooseRecord),
)
