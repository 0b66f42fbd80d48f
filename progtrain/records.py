"""The frozen records that pass between steps; nothing else crosses a function boundary as loose keys."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Risk = Literal["low", "medium", "high"]
Verdict = Literal["improved", "regressed", "within noise", "first"]


class Record(BaseModel):
    """A value object: immutable, and refusing fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="constants")


# --- what a script is about to train ------------------------------------------------------------


class Layer(Record):
    """One module of the live model without children, or with parameters of its own.

    `arguments` are those of its constructor; `parameters` counts the elements that it holds itself.
    """

    path: str
    type: str
    arguments: dict[str, JsonValue]
    parameters: int = 0


class Call(Record):
    """One functional call of the first training step: scalars in `arguments`, tensors by shape."""

    function: str
    arguments: dict[str, JsonValue]
    shapes: tuple[tuple[int, ...], ...] = ()
    before_forward: bool = False
    """Whether it prepared the batch, before the model's forward pass began."""


class OptimizerSettings(Record):
    """An optimizer as constructed, before any scheduler touched it; one entry of `groups` a parameter group."""

    type: str
    groups: tuple[dict[str, JsonValue], ...]


class SchedulerSettings(Record):
    """A learning-rate scheduler with the arguments of its construction."""

    type: str
    arguments: dict[str, JsonValue]
    interval: str = "epoch"
    monitor: str | None = None


class LoaderSettings(Record):
    """A data loader; `fingerprint` is a SHA-256 over inputs and targets of evenly spaced samples."""

    size: int | None
    batch_size: int | None
    shuffle: bool
    sampler: str
    workers: int
    fingerprint: str | None


class CheckpointSettings(Record):
    """A ModelCheckpoint callback, and where it writes."""

    dirpath: str | None
    filename: str | None
    monitor: str | None
    mode: str
    save_last: bool


class LoggerSettings(Record):
    """A Lightning logger, and where it writes."""

    type: str
    log_dir: str | None


class Snapshot(Record):
    """What a script was about to train at the moment it called `Trainer.fit`."""

    optimizers: tuple[OptimizerSettings, ...]
    schedulers: tuple[SchedulerSettings, ...]
    max_epochs: int | None
    max_steps: int
    gradient_clip_val: float | None
    gradient_clip_algorithm: str | None
    accumulate_grad_batches: int
    precision: str
    seed: int | None
    train: LoaderSettings | None
    valid: LoaderSettings | None
    callbacks: tuple[str, ...]
    checkpoints: tuple[CheckpointSettings, ...]
    loggers: tuple[LoggerSettings, ...]
    layers: tuple[Layer, ...]
    calls: tuple[Call, ...]
    parameters: int
    first_loss: float | None
    batch: JsonValue
    """Shapes and types of the first training batch, nested as the batch is."""
    automatic_optimization: bool = True
    initialization: tuple[str, ...] = ()
    """How weights and biases are drawn, each way once; empty where all are drawn as torch does by itself."""
    notes: tuple[str, ...] = ()
    """What could not be captured, and why."""


# --- evaluation ---------------------------------------------------------------------------------


class MetricValue(Record):
    """One entry of eval_score.json's `metrics`; `value` is None where it could not be computed."""

    name: str
    value: float | None
    higher_is_better: bool

    def better_than(self, other: MetricValue) -> bool:
        """Whether this value is strictly better, whatever the direction; a missing value never is."""
        if self.value is None or self.value != self.value:
            return False
        if other.value is None or other.value != other.value:
            return True
        return self.value > other.value if self.higher_is_better else self.value < other.value


class EvalScore(Record):
    """eval_score.json, field for field as the seed has it."""

    dataset_id: str
    created_at: datetime
    num_samples: int
    metrics: tuple[MetricValue, ...]
    latency_ms: float

    def metric(self, name: str) -> MetricValue | None:
        """The metric of that name, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class Comparison(Record):
    """A version's primary metric against its parent's on the same samples.

    `difference` is signed so that positive is better; `low` and `high` bound its 95 % bootstrap interval.
    """

    metric: str
    difference: float | None
    low: float | None
    high: float | None
    verdict: Verdict


# --- diagnosis and choice -----------------------------------------------------------------------


class Finding(Record):
    """One thing diagnosed: its playbook name, the numbers that show it, how severe (0..1), and in words."""

    name: str
    numbers: dict[str, float]
    severity: float
    message: str


class Proposal(Record):
    """A catalogue action bound to one script: everything needed to replay, explain and judge it."""

    action: str
    family: str
    answers: str
    """The finding it answers."""
    parameters: dict[str, JsonValue]
    touches: tuple[str, ...]
    goal: str
    change: str
    where: str
    expected_impact: str
    risk: Risk
    verification: str
    probability: float
    """Of an improvement, before evidence from this loop."""
    gain: float
    """Expected improvement if it works, as a share of what is left to gain (0..1)."""


class Refusal(Record):
    """Why an action has nothing to offer for a script, or was held back: shown, never dropped."""

    action: str
    reason: str
    by_rule: bool = False
    """The user's rules forbid it; otherwise it does not fit, or nothing asks for it."""


class Deferred(Record):
    """A candidate that was not selected."""

    action: str
    change: str
    reason: str
    score: float | None = None


# --- steps --------------------------------------------------------------------------------------


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


class CaptureRecord(Record):
    """The Snapshot of a script, kept by the script's hash."""

    script_sha256: str
    snapshot: Snapshot


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


class TrainRecord(StepRecord):
    """Step 1."""

    attempts: int
    seconds: float
    snapshot: Snapshot


class EvaluateRecord(StepRecord):
    """Step 2."""

    score: EvalScore
    seconds: float


class AnalyzeRecord(StepRecord):
    """Step 3."""

    comparison: Comparison
    findings: tuple[Finding, ...]


class ChooseRecord(StepRecord):
    """Step 4; `selected` is None where nothing in the catalogue may be applied, which ends the loop."""

    parent: str
    """The version that the next one is made from."""
    selected: Proposal | None
    child_sha256: str | None
    """Of the next version's script as the guard accepted it."""
    deferred: tuple[Deferred, ...]


class ReportPlan(Record):
    """Where the report of these versions is going to be; a report that was cut short is made there, not anew."""

    folder: str
    versions: tuple[str, ...]


class ReportRecord(Record):
    """Step 7; made once for a set of versions."""

    folder: str
    versions: tuple[str, ...]
    best: str
    started_at: datetime
    finished_at: datetime


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
