"""user_defined_rules.json and user_instruction.md: the user's word, which nothing overrides."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from progtrain.errors import RulesError
from progtrain.instructions import Instruction, understand
from progtrain.knobs import canonical, nearest

RULES_FILE = "user_defined_rules.json"
INSTRUCTION_FILE = "user_instruction.md"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoopConfig(_Section):
    """How long the loop runs, and how."""

    max_versions: Annotated[int, Field(ge=1, le=999)] = 10
    max_train_attempts: Annotated[int, Field(ge=1)] = 3
    train_time_limit_minutes: Annotated[float, Field(gt=0)] | None = None
    isolation: Literal["warm", "fresh"] = "warm"
    continue_from: Literal["latest", "best"] = "latest"


class DatasetConfig(_Section):
    """Which prepared data set under dataset/prepdata/ is used."""

    dataset_id: str | None = None


class MetricRule(_Section):
    """A metric by its torchmetrics name; the direction is torchmetrics' own unless given."""

    name: str
    higher_is_better: bool | None = None


class EvalConfig(_Section):
    """What is measured on the validation set."""

    primary_metric: str | None = None
    metrics: tuple[str | MetricRule, ...] = ()
    infer_samples: Annotated[int, Field(ge=0)] = 10

    @property
    def metric_rules(self) -> tuple[MetricRule, ...]:
        """The metrics asked for, each as a MetricRule."""
        return tuple(MetricRule(name=m) if isinstance(m, str) else m for m in self.metrics)

    @property
    def primary(self) -> str:
        """The metric that ranks versions: the one named, else the first asked for, else the loss."""
        return self.primary_metric or next((m.name for m in self.metric_rules), "loss")


class Rules(BaseModel):
    """Both files, validated; the defaults are those of the written rules."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: int = 42
    loop_config: LoopConfig = LoopConfig()
    dataset_config: DatasetConfig = DatasetConfig()
    training_config: dict[str, JsonValue] = {}
    eval_config: EvalConfig = EvalConfig()
    instructions: tuple[str, ...] = ()
    """The lines of user_instruction.md that say something."""
    unread_sections: tuple[str, ...] = ()
    """Top-level keys of the rules file that progtrain has no use for."""

    @property
    def locks(self) -> dict[str, JsonValue]:
        """Canonical knob -> the value that `training_config` (and `seed`) hold it at.

        What user_instruction.md holds as it is has the value None.
        """
        said: dict[str, JsonValue] = {knob: None for line in self.understood for knob in sorted(line.locks)}
        named = {knob: value for key, value in self.training_config.items() if (knob := canonical(key)) is not None}
        return {**said, "seed": self.seed, **named}

    @property
    def understood(self) -> tuple[Instruction, ...]:
        """Every line of user_instruction.md as a machine understands it."""
        return tuple(understand(line) for line in self.instructions)

    @property
    def held_instructions(self) -> tuple[str, ...]:
        """The lines that became locks, with what they lock."""
        return tuple(f"{line.line!r} locks {', '.join(sorted(line.locks))}" for line in self.understood if line.locks)

    @property
    def unknown_training_keys(self) -> tuple[str, ...]:
        """Keys of `training_config` that name no knob that progtrain knows."""
        return tuple(key for key in self.training_config if canonical(key) is None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the user's word no machine holds: said at the start and in the final report."""
        unread = (f"{RULES_FILE}: progtrain does not read {name!r}" for name in self.unread_sections)
        unknown = (
            f"training_config.{key} names no knob that progtrain knows{_perhaps(key)}: not enforced by the machine"
            for key in self.unknown_training_keys
        )
        said = (
            f"{INSTRUCTION_FILE}: not enforced by the machine: {part}"
            for line in self.understood
            for part in line.unknown
        )
        return (*unread, *unknown, *said)


def read_rules(folder: Path) -> Rules:
    """Read both files from `folder`; a missing file means no constraint.

    Args:
        folder: the workspace.

    Raises:
        RulesError: a file cannot be read, is not JSON, or a value has no meaning.
    """
    path = folder / RULES_FILE
    raw = _read_json(path) if path.exists() else {}
    known = set(Rules.model_fields) - {"instructions", "unread_sections"}
    unread = tuple(key for key in raw if key not in known)
    try:
        rules = Rules.model_validate({key: value for key, value in raw.items() if key in known})
    except ValidationError as error:
        raise RulesError(_explain(path, error)) from error
    _refuse_two_spellings(path, rules)
    instruction = folder / INSTRUCTION_FILE
    lines = _said(instruction.read_text(encoding="utf-8")) if instruction.exists() else ()
    return rules.model_copy(update={"instructions": lines, "unread_sections": unread})


def _perhaps(key: str) -> str:
    match = nearest(key)
    return f" (perhaps {match!r} was meant)" if match else ""


def _read_json(path: Path) -> dict[str, JsonValue]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} cannot be read: {error}. Make it a readable UTF-8 file.") from error
    except json.JSONDecodeError as error:
        raise RulesError(
            f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Mend that place."
        ) from error
    if not isinstance(raw, dict):
        raise RulesError(f"{path}: expected a JSON object, got {type(raw).__name__}. Write {{...}}.")
    return raw


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {place}: no such key{_did_you_mean(problem['loc'])}")
        else:
            lines.append(f"  {place}: {problem['msg']}, got {json.dumps(problem['input'], default=str)}")
    return (
        f"{path} says something that progtrain cannot follow:\n"
        + "\n".join(lines)
        + "\nSee docs/rules.md for every key."
    )


def _did_you_mean(location: tuple[int | str, ...]) -> str:
    sections: dict[str, type[BaseModel]] = {
        "loop_config": LoopConfig,
        "dataset_config": DatasetConfig,
        "eval_config": EvalConfig,
    }
    section = sections.get(str(location[0]))
    if section is None:
        return ""
    matches = difflib.get_close_matches(str(location[-1]), list(section.model_fields), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else f"; known are {sorted(section.model_fields)}"


def _refuse_two_spellings(path: Path, rules: Rules) -> None:
    seen: dict[str, str] = {}
    for key, value in rules.training_config.items():
        knob = canonical(key)
        if knob is None:
            continue
        if knob in seen and rules.training_config[seen[knob]] != value:
            raise RulesError(
                f"{path}: training_config.{seen[knob]} and .{key} both fix {knob!r}, at different values. Keep one."
            )
        if knob == "seed" and value != rules.seed:
            raise RulesError(f"{path}: seed is {rules.seed} and training_config.{key} is {value}. Keep one.")
        seen[knob] = key


def _said(text: str) -> tuple[str, ...]:
    lines = (
        line.strip().lstrip("-*0123456789. ").strip() for line in text.splitlines() if not line.lstrip().startswith("#")
    )
    return tuple(line for line in lines if line)
