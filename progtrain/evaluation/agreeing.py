"""A version's answers, measured, and held against what its script logs itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from progtrain.evaluation.asking.answering import Circumstances, Question, answers_of_version
from progtrain.evaluation.asking.inference import Asked
from progtrain.evaluation.asking.isolation import one_thread
from progtrain.evaluation.asking.logged import loss_changed_in
from progtrain.evaluation.scoring.agreement import Logged, agreement_of, within_draws
from progtrain.evaluation.scoring.measuring import Measured, measure
from progtrain.evaluation.scoring.names import LOSS
from progtrain.evaluation.yardstick.listing import Listed
from progtrain.evaluation.yardstick.protocol import USER_METRICS
from progtrain.step_records import AgreementRecord

_DRAWS: Final = 5
"""Seeds with which a validation is asked whose figures are not the script's own."""


@dataclass(frozen=True)
class Heard:
    """What came of one answering."""

    measured: Measured
    circumstances: Circumstances


def measure_answers(
    question: Question, listing: Sequence[Listed] | None, told: Iterable[Asked | Circumstances]
) -> Heard:
    """Measure what is told, as it comes.

    Raises:
        EvaluationError: it cannot be measured.
    """
    ids = None if listing is None else [listed.sample_id for listed in listing]
    last: list[Circumstances] = []
    with one_thread():
        measured = measure(_answers(told, last), ids, question.yardstick, question.workspace.root / USER_METRICS)
    return Heard(measured, last[0])


def _answers(told: Iterable[Asked | Circumstances], last: list[Circumstances]) -> Iterator[Asked]:
    for each in told:
        if isinstance(each, Asked):
            yield each
        else:
            last.append(each)


def agreement_with_script(
    question: Question, heard: Heard, values: Mapping[str, Sequence[float]], trained: bool
) -> AgreementRecord:
    """Hold a version's figures against what its script logged of the same weights.

    Where they disagree it is asked with other seeds too, for a validation that draws has other figures every time.

    Args:
        question: that was asked.
        heard: what came of it.
        values: by the script's own names; of several the nearest counts.
        trained: whether of best.ckpt; else of the untrained weights.
    """
    first = _compared(question, heard, values)
    if not first.disagreeing:
        return first
    others = (replace(question, draw=draw) for draw in range(1, _DRAWS))
    drawn = [measure_answers(other, None, answers_of_version(other, trained)) for other in others]
    return within_draws(first, [_compared(question, each, values) for each in drawn])


def _compared(question: Question, heard: Heard, values: Mapping[str, Sequence[float]]) -> AgreementRecord:
    told = heard.circumstances
    logged = Logged(values, _comparable(question), told.shuffled, told.validated, told.failure)
    user_metrics = question.workspace.root / USER_METRICS
    return agreement_of(logged, heard.measured.predictions, question.yardstick.task, told.batch_size, user_metrics)


def _comparable(question: Question) -> Mapping[str, str]:
    """What the scripts log under the names that LOGGED has; no loss where a change gave a version another."""
    changed = loss_changed_in(question.workspace, question.version)
    return {metric: name for metric, name in question.yardstick.logged.items() if metric != LOSS or not changed}
