"""Before one of several changes is chosen, each is trained briefly, and the best of them is taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from progtrain.advisors import RankedProposal
from progtrain.advisors.by_rule import TAKE_BACK
from progtrain.records import MetricValue
from progtrain.reporting.action_extract import ProbeRow, Probing
from progtrain.reporting.rendering import number, signed
from progtrain.step_records import ProbeRecord
from progtrain.steps.context import Context
from progtrain.steps.guard import Accepted
from progtrain.steps.halving import round_count, winner
from progtrain.steps.probe_training import Trial, train_briefly, unchanged


@dataclass(frozen=True)
class Candidate:
    """A proposal that the guard accepted."""

    entry: RankedProposal
    accepted: Accepted


@dataclass(frozen=True)
class Probed:
    """The candidate that is taken, and the others in the advisor's order; `probing` is None where none was trained."""

    taken: Candidate | None
    others: tuple[Candidate, ...]
    probing: Probing | None


def enough(context: Context, candidates: Sequence[Candidate]) -> bool:
    """Whether no further candidate is wanted: where a change is taken back, what that leads to has been measured."""
    takes_back = bool(candidates) and candidates[0].entry.proposal.answers == TAKE_BACK
    return takes_back or len(candidates) >= max(1, context.rules.loop_config.probes)


def probe(context: Context, parent: str, child: str, candidates: Sequence[Candidate]) -> Probed:
    """Take one of the candidates; where there is a single one, without any training.

    Args:
        context: the opened workspace.
        parent: the version that the next one is made from.
        child: the next version.
        candidates: in the advisor's order.

    Raises:
        ProtocolChangedError: a probe changed files that a training script has no business with.
    """
    if len(candidates) < 2:
        return Probed(next(iter(candidates), None), (), None)
    rounds = _Rounds(context, parent)
    trials = [Trial(child, each.accepted.source, each.accepted.snapshot, each.entry.proposal) for each in candidates]
    itself = unchanged(context, parent)
    best = winner(
        len(trials),
        round_count(len(trials), itself.snapshot.max_epochs or 1),
        lambda places, turn: rounds.train([trials[place] for place in places], turn),
        lambda turn: rounds.train([itself], turn)[0],
    )
    taken = candidates[rounds.first_that_ran() if best is None else best]
    others = tuple(each for each in candidates if each is not taken)
    return Probed(taken, others, rounds.table(taken.entry.proposal.action, by_order=best is None))


class _Rounds:
    """What was trained for one choice, round by round: first the parent itself, then the candidates in their order."""

    def __init__(self, context: Context, parent: str) -> None:
        self._context, self._parent = context, parent
        self._metric = context.rules.eval_config.primary
        self._made: dict[int, list[ProbeRecord]] = defaultdict(list)

    def train(self, trials: Sequence[Trial], turn: int) -> list[MetricValue | None]:
        """What each of these trials reached in that round."""
        values = []
        for record in train_briefly(self._context, self._parent, trials, turn):
            self._made[turn].append(record)
            self._tell(record, self._made[turn][0])
            values.append(self._value(record))
        return values

    def _tell(self, record: ProbeRecord, reference: ProbeRecord) -> None:
        row = self._row(record, reference, chosen=False)
        said = row.remark if record.score is None else f"{self._metric} {number(row.value)}"
        said += "" if row.difference is None else f" ({signed(row.difference)})"
        self._context.say(f"{self._parent}: probe of {row.action or 'no change'}, {row.epochs} epoch(s): {said}")

    def first_that_ran(self) -> int:
        """The place of the first candidate whose first probe did not fail; of the first one where all did."""
        ran = [record.score is not None for record in self._made[0][1:]]
        return ran.index(True) if any(ran) else 0

    def table(self, action: str, by_order: bool) -> Probing:
        """Everything that was trained, and that `action` is taken."""
        last = _last_turn(self._made, action)
        rows = tuple(
            self._row(record, made[0], chosen=record.action == action and turn == last)
            for turn, made in self._made.items()
            for record in made
        )
        return Probing(self._metric, rows, by_order)

    def _row(self, record: ProbeRecord, reference: ProbeRecord, chosen: bool) -> ProbeRow:
        metric, against = self._value(record), self._value(reference)
        value = None if metric is None else metric.value
        difference = None
        if record.action is not None and metric and against and value is not None and against.value is not None:
            difference = value - against.value if metric.higher_is_better else against.value - value
        return ProbeRow(
            action=record.action,
            epochs=record.epochs,
            value=value,
            difference=difference,
            remark=record.remark if record.score is not None else f"failed: {record.remark}",
            chosen=chosen,
        )

    def _value(self, record: ProbeRecord) -> MetricValue | None:
        return None if record.score is None else record.score.metric(self._metric)


def _last_turn(made: Mapping[int, Sequence[ProbeRecord]], action: str) -> int:
    return max(turn for turn, records in made.items() if any(record.action == action for record in records))
