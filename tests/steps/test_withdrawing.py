"""What is known of changes that could not be trained, or did nothing, from the records alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from progtrain.records import Proposal
from progtrain.step_records import Attempt, WithdrawnRecord, withdrawn_name
from progtrain.steps.failure import may_pass
from progtrain.steps.lineage import without_effect_on
from progtrain.steps.withdrawing import cause_elsewhere, forget_withdrawn, former_attempts, was_withdrawn
from progtrain.workspace import Workspace, now

GELU = Proposal(
    action="gelu",
    family="capacity",
    answers="dead-units",
    parameters={},
    touches=("activation",),
    goal="",
    change="",
    where="",
    expected_impact="",
    risk="low",
    verification="",
    probability=0.5,
    gain=0.2,
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.script("v001").write_text("# v001\n")
    return workspace


def withdrawn(
    workspace: Workspace, *failures: str, action: str = "gelu", version: str = "v002", touches: str = "activation"
) -> None:
    number = 1 + len([*workspace.version_state("v001").glob("withdrawn_*.json")])
    record = WithdrawnRecord(
        started_at=now(),
        finished_at=now(),
        script_sha256=workspace.script_sha256("v001"),
        number=number,
        version=version,
        action=action,
        parameters={},
        touches=(touches,),
        failures=failures,
    )
    workspace.write_record(record, withdrawn_name(number), "v001")


def test_a_change_is_withdrawn_for_its_parent_as_that_stands(workspace: Workspace) -> None:
    withdrawn(workspace, "E: a")
    assert was_withdrawn(workspace, "v001", GELU) == "it was withdrawn: E: a"
    assert was_withdrawn(workspace, "v001", GELU.model_copy(update={"touches": ("lr",)})) is None
    assert was_withdrawn(workspace, "v001", GELU.model_copy(update={"action": "silu"})) is None
    workspace.script("v001").write_text("# v001, mended\n")
    assert was_withdrawn(workspace, "v001", GELU) is None


def test_attempts_are_counted_on_over_withdrawn_changes(workspace: Workspace) -> None:
    withdrawn(workspace, "time limit", "time limit")
    withdrawn(workspace, "E: b", action="silu")
    withdrawn(workspace, "E: c", version="v003")
    told = [(each.number, each.error, each.code_change) for each in former_attempts(workspace, "v002")]
    assert told == [
        (1, "time limit", "none"),
        (2, "time limit", "none"),
        (3, "E: b", "gelu is withdrawn, silu takes its place"),
    ]
    forget_withdrawn(workspace, "v001")
    assert former_attempts(workspace, "v002") == ()


@pytest.mark.parametrize(
    ("failures", "is_elsewhere"),
    [
        (["E: a (line 3 of 02_train_v002.py)", "E: a (line 4 of 02_train_v002.py)", "E: a"], True),
        (["E: a", "E: a"], False),
        (["E: a", "E: b", "E: a"], False),
        (["E: b", "E: a", "E: a", "E: a"], True),
    ],
)
def test_three_unrelated_changes_that_fail_alike_are_not_to_blame(
    workspace: Workspace, failures: list[str], is_elsewhere: bool
) -> None:
    for place, failure in enumerate(failures):
        withdrawn(workspace, failure, action=f"action_{place}", touches=f"knob_{place // 2}")
    said = cause_elsewhere(workspace, "v001")
    assert (said is not None) == is_elsewhere
    assert said is None or "failed alike, so that the cause lies elsewhere: E: a." in said


def test_changes_of_one_knob_that_fail_alike_leave_the_others_their_turn(workspace: Workspace) -> None:
    for action in ("gelu", "silu", "leaky_relu"):
        withdrawn(workspace, "E: a", action=action)
    assert cause_elsewhere(workspace, "v001") is None


@pytest.mark.parametrize(
    ("reason", "passes"),
    [
        ("ValueError: Tried to step 153 times. The specified number of total steps is 152", False),
        ("KeyError: 'max_lr' (line 40 of 02_train_v002.py)", False),
        ("RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x16 and 8x4)", False),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a.npz'", False),
        ("it ended well but left no best.ckpt in Models/Artifacts/v002", False),
        ("it ended with exit code 3: no output", False),
        ("it was ended after 60 s, its time limit", True),
        ("it ended with exit code -9: no output", True),
        ("it ended with exit code 137: Killed", True),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory", True),
        ("MemoryError", True),
        ("OSError: [Errno 28] No space left on device", True),
        ("RuntimeError: DataLoader worker (pid 12) is killed by signal: Bus error.", True),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", True),
    ],
)
def test_what_may_go_well_another_time(reason: str, passes: bool) -> None:
    assert may_pass(reason) is passes


def attempt(version: str, parent: str | None, action: str, verdict: str) -> Attempt:
    known = {"version": version, "parent": parent, "action": action, "verdict": verdict}
    return Attempt.model_validate({**known, "parameters": {}, "touches": ("activation",), "primary": 0.5, "knobs": {}})


@pytest.mark.parametrize(
    ("tried", "parent", "found"),
    [
        ([("gelu", "without effect")], "v001", "v002"),
        ([("gelu", "without effect")], "v002", "v002"),  # the same weights
        ([("gelu", "without effect"), ("silu", "without effect")], "v003", "v002"),
        ([("gelu", "without effect"), ("silu", "improved")], "v003", None),
        ([("gelu", "within noise")], "v001", None),
        ([("silu", "without effect")], "v002", None),
    ],
)
def test_a_change_without_effect_is_not_made_of_the_same_weights(
    tried: list[tuple[str, str]], parent: str, found: str | None
) -> None:
    history = [attempt("v001", None, "baseline", "first")]
    for number, (action, verdict) in enumerate(tried, start=2):
        history.append(attempt(f"v{number:03d}", f"v{number - 1:03d}", action, verdict))
    assert without_effect_on(parent, history, GELU) == found
