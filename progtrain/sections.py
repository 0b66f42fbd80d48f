"""The sections of user_defined_rules.json, each key with its type and its default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, field_validator

from progtrain.knobs import FAMILY, group, nearest

YEAR_MINUTES = 525_600.0


def _number(value: object) -> object:
    """JSON has numbers and words for them apart; `3.0` is a whole number, `true` and `"3"` are none."""
    if isinstance(value, bool | str):
        raise ValueError("Input should be a number")
    return value


Whole = Annotated[int, BeforeValidator(_number)]
Minutes = Annotated[float, BeforeValidator(_number), Field(gt=0, le=YEAR_MINUTES, allow_inf_nan=False)]
Milliseconds = Annotated[float, BeforeValidator(_number), Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[Whole, Field(ge=0, lt=2**32)]
Switch = Annotated[bool, Strict()]
Name = Annotated[str, Field(min_length=1, max_length=200)]
DatasetId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)]


class Section(BaseModel):
    """One object of the file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LoopConfig(Section):
    """How long the loop runs, and how."""

    max_versions: Annotated[Whole, Field(ge=1, le=999)] = 10
    max_train_attempts: Annotated[Whole, Field(ge=1, le=99)] = 3
    train_time_limit_minutes: Minutes | None = None
    isolation: Literal["warm", "fresh"] = "warm"
    continue_from: Literal["latest", "best"] = "latest"
    noise_repeats: Annotated[Whole, Field(ge=0, le=99)] = 0
    probes: Annotated[Whole, Field(ge=0, le=99)] = 0
    patience: Annotated[Whole, Field(ge=1)] | None = None
    time_budget_minutes: Minutes | None = None
    use_memory: Switch = True


class DatasetConfig(Section):
    """Which prepared data set under dataset/prepdata/ is used."""

    dataset_id: DatasetId | None = None


class MetricRule(Section):
    """A metric by its torchmetrics name; the direction is torchmetrics' own unless given."""

    name: Name
    higher_is_better: Switch | None = None


class EvalConfig(Section):
    """What is measured on the validation set."""

    primary_metric: Name | None = None
    metrics: tuple[Name | MetricRule, ...] = ()
    infer_samples: Annotated[Whole, Field(ge=0)] = 10

    @property
    def metric_rules(self) -> tuple[MetricRule, ...]:
        """The metrics asked for by name, each as a MetricRule."""
        return tuple(MetricRule(name=m) if isinstance(m, str) else m for m in self.metrics)

    @property
    def with_defaults(self) -> bool:
        """Whether those that are usual for the task are measured, because none is asked for."""
        return not self.metrics

    @property
    def primary(self) -> str:
        """The metric that ranks versions: the one named, else the first asked for, else the loss."""
        return self.primary_metric or next((m.name for m in self.metric_rules), "loss")


class Constraints(Section):
    """What no version may change, which actions may be chosen, and how large and how slow a model may be."""

    lock: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None
    max_parameters: Annotated[Whole, Field(ge=1)] | None = None
    max_latency_ms: Milliseconds | None = None

    @field_validator("lock")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not group(name):
                near = nearest(name)
                hint = (
                    f"perhaps {near!r} was meant" if near else f"families are {', '.join(sorted({*FAMILY.values()}))}"
                )
                raise ValueError(f"{name!r} is no knob and no family of knobs; {hint}")
        return names

    def forbids(self, action: str) -> str | None:
        """The rule by which an action may not be chosen; None where it may."""
        if action in self.forbid:
            return "constraints.forbid names it"
        if self.allow is not None and action not in self.allow:
            return "constraints.allow does not name it"
        return None
