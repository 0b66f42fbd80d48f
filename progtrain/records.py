"""The frozen records that pass between steps; nothing else crosses a function boundary as loose keys."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Risk = Literal["low", "medium", "high"]
Verdict = Literal["improved", "regressed", "within noise", "without effect", "first"]
WITHOUT_EFFECT: Final = "without effect"
"""The verdict on a change after which the trained weights are the parent's, bit for bit."""


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


class SharedSamples(Record):
    """Validation samples that are, byte for byte, among the training samples: of those that were looked at."""

    shared: int
    looked_at: int


class CheckpointSettings(Record):
    """A ModelCheckpoint callback, and where it writes."""

    dirpath: str | None
    filename: str | None
    monitor: str | None
    mode: str
    save_last: bool
    save_top_k: int = 1
    keeps_end: bool = False
    """Whether it writes last.ckpt at the end of every epoch, so that the last one is the end of the training."""


class LoggerSettings(Record):
    """A Lightning logger, and where it writes."""

    type: str
    log_dir: str | None


class Overwritten(Record):
    """A knob that something else sets than the place in the source where it stands."""

    knob: str
    by: str
    """What sets it, in words."""
    known: bool
    """Whether the Snapshot has the value that it is set to."""


STEP_FAILED: Final = "The first step failed: "
"""What a Snapshot's note of it begins with."""


class Breakdown(Record):
    """Where a training would end with an error of its schedules or parameter groups, as found without data."""

    error: str
    after: int | None
    """Optimizer steps that go well; None where it is only known to fail before the end."""
    steps: int
    """Of the whole training."""

    def __str__(self) -> str:
        place = f"before the end of {self.steps:,}" if self.after is None else f"after {self.after:,} of {self.steps:,}"
        return f"{self.error} ({place} steps)"


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
    compared: tuple[str, ...] | None = None
    """What the training's loss compares answers with: "inputs" and "targets", the two items of a batch, or what is made
    of them; None where it is not known."""
    measured: tuple[str, ...] | None = None
    """The losses that the validation step computes; None where it is not known."""
    automatic_optimization: bool = True
    shared: SharedSamples | None = None
    """None where a loader cannot be looked into."""
    initialization: tuple[str, ...] = ()
    """How weights and biases are drawn, each way once; empty where all are drawn as torch does by itself."""
    overwritten: tuple[Overwritten, ...] = ()
    """Knobs that a change of the script would not move."""
    notes: tuple[str, ...] = ()
    """What could not be captured, or was chosen among several, and why."""
    breakdown: Breakdown | None = None
    """Where the training would end with an error; None where none is foreseen."""
    rate_by_hand: str | None = None
    """What of the script sets the rate itself while it trains, in words; None where nothing does."""
    idle_schedulers: tuple[str, ...] = ()
    """Types of schedulers that never change the rate within the training's length."""

    @property
    def rate_changes(self) -> str | None:
        """What changes the rate while it trains, in words; None where the rate is constant."""
        acting = [each.type for each in self.schedulers if each.type not in self.idle_schedulers]
        return self.rate_by_hand or (f"{' and '.join(acting)} lowers the rate" if acting else None)

    @property
    def overwritten_by(self) -> dict[str, str]:
        """Canonical knob -> what sets it, in words."""
        return {each.knob: each.by for each in self.overwritten}

    @property
    def step_failure(self) -> str | None:
        """Why the first training step failed at capture; None where it did not."""
        return next((note.removeprefix(STEP_FAILED) for note in self.notes if note.startswith(STEP_FAILED)), None)


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


class TrainingNoise(Record):
    """The standard deviation of a metric over trainings that differ in their seeds alone: the first and its repeats."""

    deviation: float
    repeats: int


class Comparison(Record):
    """A version's primary metric against its parent's on the same samples.

    `difference` is signed so that positive is better; `low` and `high` bound its 95 % interval: over samples by the
    bootstrap, and over seeds where `noise` is known.
    """

    metric: str
    difference: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    probability: float | None = None
    """That the version is better, a tie counting half; None where there is nothing to resample."""
    noise: TrainingNoise | None = None
    """None where no repeats were asked for."""


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


# --- what earlier loops learned -----------------------------------------------------------------


class Experience(Record):
    """How often an action, in answer to a finding on a task, made a version better or worse, and how often better."""

    action: str
    finding: str
    task: str
    tried: int
    improved: int


class Memory(Record):
    """What all earlier loops in a store learned, as it was when this loop began."""

    store: str
    task: str
    """Of the loop that remembers."""
    loops: int
    entries: tuple[Experience, ...]
    read_at: datetime
    remark: str = ""
    """Why the store could not be read."""
