"""The frozen records that the steps leave in `.progtrain/`, and by which a loop that is taken up again goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import JsonValue

from progtrain.records import Comparison, Deferred, EvalScore, Finding, Proposal, Record, Snapshot, Verdict


class StepRecord(Record):
    """What every finished step leaves; whole while `script_sha256` fits and every output is there."""

    started_at: datetime
    finished_at: datetime
    script_sha256: str
    outputs: tuple[str, ...] = ()
    """Paths from the workspace's root."""


class LoopRecord(Record):
    """Step 0: what is fixed until the loop ends."""

    dataset_id: str
    task_type: str
    num_train: int | None
    num_valid: int | None
    patched: bool
    started_at: datetime
    warnings: tuple[str, ...] = ()
    primary: str | None = None
    """Ranks versions where the user names no metric and the loss cannot be measured."""


class CaptureRecord(Record):
    """The Snapshot of a script, kept by the script's hash."""

    script_sha256: str
    snapshot: Snapshot


class Compared(Record):
    """A figure of 03_eval.py beside what the script itself logged of the same weights and samples."""

    metric: str
    logged_as: str
    logged: float
    measured: float
    counted: str
    """Over samples, or as the mean over batches, whichever comes nearer."""
    agrees: bool


AGREEMENT: Final = "agreement"


class AgreementRecord(Record):
    """Whether 03_eval.py measures what the script logs; `reason` says why nothing, or not everything, was compared."""

    compared: tuple[Compared, ...]
    reason: str = ""

    @property
    def disagreeing(self) -> tuple[Compared, ...]:
        """The figures that are others than the script's own."""
        return tuple(each for each in self.compared if not each.agrees)

    @property
    def disagreement(self) -> str:
        """Both figures of all that do not agree; empty where all do."""
        return "; ".join(
            f"{each.metric} is {each.measured:.4g}, the script logs {each.logged_as} {each.logged:.4g}"
            for each in self.disagreeing
        )


class AuthorRecord(Record):
    """Where a version came from; `parent` is None for v001 and for scripts written by hand."""

    version: str
    parent: str | None
    parent_sha256: str | None
    action: str
    parameters: dict[str, JsonValue]
    touches: tuple[str, ...]
    script_sha256: str
    created_at: datetime
    answers: str | None = None
    """The finding that the action answers, or `NOTHING_ASKS` where that was not made."""


class TrainRecord(StepRecord):
    """Step 1."""

    attempts: int
    seconds: float
    snapshot: Snapshot


class EvaluateRecord(StepRecord):
    """Step 2."""

    score: EvalScore
    seconds: float
    reasons: dict[str, str] = {}
    """Metric -> why it has no value."""


ACTIVATIONS: Final = "activations"
"""The name of an ActivationsRecord."""


class ActivationsRecord(Record):
    """What 03_eval.py saw inside a trained model, for the diagnosis alone."""

    dead_shares: tuple[float, ...]
    """For every ReLU, in the order of the forward pass, the share of its units that are zero on every sample seen."""


WEIGHTS: Final = "weights"
"""The name of a WeightsRecord."""


class WeightsRecord(Record):
    """What tells the trained weights of a version from those of another."""

    sha256: str | None
    """Over names, types and values of best.ckpt's state_dict; None where it holds anything but plain tensors."""


class RepeatRecord(StepRecord):
    """The first version trained and measured once more, with another seed; `script_sha256` is of the version."""

    number: int
    seed: int
    score: EvalScore


def repeat_name(number: int) -> str:
    """The name of a repeat's record and logs: `repeat_01`."""
    return f"repeat_{number:02d}"


class ProbeRecord(StepRecord):
    """A version with one change, trained and measured briefly, as no version; `script_sha256` is of that version."""

    number: int
    action: str | None
    """None for the version without any change, which the others are held against."""
    parameters: dict[str, JsonValue]
    epochs: int | None
    score: EvalScore | None
    """None where it failed, for the reason that `remark` gives."""
    remark: str = ""


def probe_name(number: int) -> str:
    """The name of a probe's record and logs: `probe_01`."""
    return f"probe_{number:02d}"


RANGE_TEST: Final = "range_test"
"""The name of a range test's record and log."""


class RangeTestRecord(StepRecord):
    """A few steps of a version's training at growing learning rates; `script_sha256` is of that version."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """Of every step, before it."""
    suggested: float | None
    """To train with throughout; None where the curve suggests no rate, for the reason that `remark` gives."""
    peak: float | None = None
    """To come down from, under a schedule."""
    remark: str = ""
    same_as: str | None = None
    """The earlier version of the same script that was tested in this one's place."""


class AnalyzeRecord(StepRecord):
    """Step 3."""

    comparison: Comparison
    findings: tuple[Finding, ...]
    best_so_far: str | None = None
    """The last version, up to this one, that improved on the best before it beyond noise; the first where none did."""


class ChooseRecord(StepRecord):
    """Step 4; `selected` is None where nothing in the catalogue may be applied, which ends the loop."""

    parent: str
    """The version that the next one is made from."""
    selected: Proposal | None
    child_sha256: str | None
    """Of the next version's script as the guard accepted it."""
    deferred: tuple[Deferred, ...]
    remark: str = ""
    """Why nothing is selected, where it is not that nothing may be applied."""


def external_name(name: str) -> str:
    """Name of the ExternalRecord of a model from elsewhere."""
    return f"external/{name}"


class ExternalScore(Record):
    """What measuring a model from elsewhere gave; `way` says how it was called, with how many `threads`."""

    score: EvalScore
    way: str
    threads: int


class ExternalRecord(Record):
    """A model from elsewhere as it stands in the report; `measured` is None where it could not be, for `reason`."""

    name: str
    fingerprint: str
    """Of its folder and of the protocol: while it stays the same, the model is not measured again."""
    finished_at: datetime
    measured: ExternalScore | None
    reason: str | None = None


class HiddenScore(Record):
    """What measuring a version on the hidden test split gave."""

    score: EvalScore
    targets_sha256: str
    """Over the targets, in order: only what was measured on the same ones can be compared."""
    seen_before: tuple[str, ...]
    """Files of test/ that the script opened by itself on its way to `Trainer.fit`."""


class HiddenRecord(Record):
    """A version on the hidden test split, once; `measured` is None where it could not be measured, for `reason`."""

    version: str
    script_sha256: str
    finished_at: datetime
    measured: HiddenScore | None
    reason: str | None = None


class WithdrawnRecord(StepRecord):
    """A change that could not be trained, or not measured, and is not made again; `script_sha256` is of its parent."""

    number: int
    version: str
    """That was to be made by it."""
    action: str
    parameters: dict[str, JsonValue]
    touches: tuple[str, ...]
    failures: tuple[str, ...]
    """Why each attempt failed."""


def withdrawn_name(number: int) -> str:
    """The name of a WithdrawnRecord of a parent: `withdrawn_01`."""
    return f"withdrawn_{number:02d}"


UNREGISTERED: Final = "unregistered"


class UnregisteredRecord(Record):
    """Why a version's model is not in the registry."""

    reason: str


class ReportPlan(Record):
    """Where the report of these versions is going to be; a report that was cut short is made there, not anew."""

    folder: str
    versions: tuple[str, ...]
    external: tuple[str, ...] = ()
    """Names of the models from elsewhere that stand beside them."""


class ReportRecord(Record):
    """Step 7; made once for a set of versions."""

    folder: str
    versions: tuple[str, ...]
    external: tuple[str, ...] = ()
    """Names of the models from elsewhere that stand beside them."""
    best: str
    started_at: datetime
    finished_at: datetime


TAKING_BACK: Final = "take_back"
"""The action that undoes the last change: it wins back what was there, and improves on nothing."""
NOTHING_ASKS: Final = "nothing-asks"
"""In a finding's place, where a change was made that no finding asked for."""


class Attempt(Record):
    """What one earlier version tried, for advisors and actions that look back."""

    version: str
    parent: str | None
    action: str
    parameters: dict[str, JsonValue]
    touches: tuple[str, ...]
    verdict: Verdict
    primary: float | None
    knobs: dict[str, JsonValue]
