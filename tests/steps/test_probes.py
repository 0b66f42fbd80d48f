"""Which change is taken, after probes that are on record already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from progtrain.advisors import RankedProposal
from progtrain.ending import time_spent
from progtrain.loop import opened
from progtrain.records import EvalScore, MetricValue, OptimizerSettings, Proposal, Snapshot
from progtrain.step_records import CaptureRecord, ChooseRecord, ProbeRecord, probe_name
from progtrain.steps import Context
from progtrain.steps.guard import Accepted
from progtrain.steps.probes import Candidate, Probed, enough, probe
from progtrain.workspace import Workspace, sha256_of

MOMENT = datetime(2026, 2, 23, 22, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOURCE = 'VERSION = "v001"\n'
SNAPSHOT = Snapshot(
    optimizers=(OptimizerSettings(type="SGD", groups=({"lr": 0.1},)),),
    schedulers=(),
    max_epochs=9,
    max_steps=-1,
    gradient_clip_val=None,
    gradient_clip_algorithm=None,
    accumulate_grad_batches=1,
    precision="32-true",
    seed=42,
    train=None,
    valid=None,
    callbacks=(),
    checkpoints=(),
    loggers=(),
    layers=(),
    calls=(),
    parameters=15,
    first_loss=1.0,
    batch=None,
)

Take = Callable[..., Probed]


def proposal(action: str, answers: str = "slow") -> Proposal:
    return Proposal(
        action=action,
        family="rate",
        answers=answers,
        parameters={"factor": 2},
        touches=("lr",),
        goal="g",
        change="c",
        where="w",
        expected_impact="e",
        risk="low",
        verification="v",
        probability=0.5,
        gain=0.1,
    )


def candidate(action: str, answers: str = "slow") -> Candidate:
    ranked = RankedProposal(proposal(action, answers), 0.1, "because")
    return Candidate(ranked, Accepted(source=SOURCE, snapshot=SNAPSHOT))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    rules = {"loop_config": {"probes": 4, "isolation": "fresh"}, "eval_config": {"primary_metric": "accuracy"}}
    (tmp_path / "user_defined_rules.json").write_text(json.dumps(rules))
    (tmp_path / "02_train_v001.py").write_text(SOURCE)
    with opened(tmp_path) as made:
        made.workspace.write_record(
            CaptureRecord(script_sha256=sha256_of(SOURCE), snapshot=SNAPSHOT), "capture", "v001"
        )
        yield made


@pytest.fixture
def take(context: Context) -> Take:
    """`take({epochs: {action: value}})`: what is taken of the actions, in their order, None being no change."""

    def decide(values: dict[int, dict[str | None, float | None]]) -> Probed:
        number = 0
        for epochs, by_action in values.items():
            for action, value in by_action.items():
                number += 1
                write_probe(context.workspace, number, epochs, action, value)
        actions = [action for action in next(iter(values.values())) if action is not None]
        probed = probe(context, "v001", "v002", [candidate(action) for action in actions])
        assert sum(1 for _ in context.workspace.read_numbered(ProbeRecord, probe_name, "v001")) == number
        return probed

    return decide


def write_probe(
    workspace: Workspace,
    number: int,
    epochs: int,
    action: str | None,
    value: float | None,
    started_at: datetime = MOMENT,
) -> None:
    metric = MetricValue(name="accuracy", value=value, higher_is_better=True)
    score = EvalScore(dataset_id="v1", created_at=MOMENT, num_samples=9, metrics=(metric,), latency_ms=1.0)
    record = ProbeRecord(
        started_at=started_at,
        finished_at=started_at + 2 * MINUTE,
        script_sha256=sha256_of(SOURCE),
        number=number,
        action=action,
        parameters={} if action is None else {"factor": 2},
        epochs=epochs,
        score=None if value is None else score,
        remark="out of memory" if value is None else "",
    )
    workspace.write_record(record, probe_name(number), "v001")


def taken(probed: Probed) -> str:
    assert probed.taken is not None
    return probed.taken.entry.proposal.action


def test_the_best_probe_is_taken_and_the_others_keep_the_advisors_order(take: Take) -> None:
    probed = take({3: {None: 0.3, "a": 0.4, "b": 0.6, "c": 0.5}})
    assert taken(probed) == "b"
    assert [each.entry.proposal.action for each in probed.others] == ["a", "c"]
    assert probed.probing is not None
    assert not probed.probing.by_order
    assert [row.difference for row in probed.probing.rows] == pytest.approx([None, 0.1, 0.3, 0.2])
    assert [row.chosen for row in probed.probing.rows] == [False, False, True, False]


def test_where_all_are_worse_than_no_change_the_advisors_first_is_taken(take: Take) -> None:
    probed = take({3: {None: 0.7, "a": 0.4, "b": 0.6}})
    assert taken(probed) == "a"
    assert probed.probing is not None
    assert probed.probing.by_order


def test_one_that_failed_costs_only_itself(take: Take) -> None:
    probed = take({3: {None: 0.7, "a": None, "b": 0.6, "c": 0.65}})
    assert taken(probed) == "b"
    assert probed.probing is not None
    assert probed.probing.rows[1].outcome == "failed: out of memory"


def test_where_all_failed_the_advisors_first_is_taken(take: Take) -> None:
    assert taken(take({3: {None: 0.7, "a": None, "b": None}})) == "a"


def test_more_than_three_are_halved_at_twice_the_epochs(take: Take) -> None:
    first: dict[str | None, float | None] = {None: 0.3, "a": 0.4, "b": 0.6, "c": 0.5, "d": 0.1}
    probed = take({3: first, 6: {None: 0.5, "b": 0.6, "c": 0.7}})
    assert taken(probed) == "c"
    assert probed.probing is not None
    assert [(row.action, row.epochs) for row in probed.probing.rows if row.chosen] == [("c", 6)]


def test_a_single_candidate_and_none_are_not_trained(context: Context) -> None:
    only = candidate("a")
    assert probe(context, "v001", "v002", [only]) == Probed(only, (), None)
    assert probe(context, "v001", "v002", []) == Probed(None, (), None)


def test_candidates_are_wanted_up_to_the_number_but_none_beside_a_change_taken_back(context: Context) -> None:
    assert [enough(context, [candidate("a")] * count) for count in (0, 1, 3, 4)] == [False, False, False, True]
    assert enough(context, [candidate("take_back", answers="regressed")])


def test_probes_of_a_loop_that_was_killed_before_it_chose_count_as_time(context: Context) -> None:
    workspace = context.workspace
    write_probe(workspace, 1, 3, "a", 0.5, started_at=MOMENT)
    write_probe(workspace, 2, 3, "b", 0.5, started_at=MOMENT + 10 * MINUTE)
    chosen = ChooseRecord(
        started_at=MOMENT + 9 * MINUTE,
        finished_at=MOMENT + 13 * MINUTE,
        script_sha256=sha256_of(SOURCE),
        parent="v001",
        selected=proposal("a"),
        child_sha256=None,
        deferred=(),
    )
    workspace.write_record(chosen, "choose", "v001")
    assert time_spent(workspace).used == 2 + 4
