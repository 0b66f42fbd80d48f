"""user_defined_rules.json and user_instruction.md: the user's word, which nothing overrides."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, field_validator

from progtrain.errors import RulesError
from progtrain.instructions import Instruction, lines_of, understand
from progtrain.knob_ranges import in_range
from progtrain.knobs import canonical, group, nearest
from progtrain.rule_faults import explain, refuse_odd_values
from progtrain.sections import Constraints, DatasetConfig, EvalConfig, LoopConfig, MetricRule, Seed, Switch
from progtrain.user_files import BYTE_ORDER_MARK, read_object, read_text

__all__ = [
    "INSTRUCTION_FILE",
    "RULES_FILE",
    "Constraints",
    "DatasetConfig",
    "EvalConfig",
    "LoopConfig",
    "MetricRule",
    "Rules",
    "Setting",
    "held_by",
    "read_rules",
]

RULES_FILE = "user_defined_rules.json"
INSTRUCTION_FILE = "user_instruction.md"


@dataclass(frozen=True)
class Setting:
    """A value that the user gave a knob.

    Args:
        knob: canonical name.
        value: None where there must be no such thing.
        rule: where the user said so, in words.
        binding: whether nothing may be trained that contradicts it; else it is warned of.
    """

    knob: str
    value: JsonValue
    rule: str
    binding: bool


class Rules(BaseModel):
    """Both files, validated; the defaults are those of the written rules."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: Seed = 42
    strict_instructions: Switch = False
    loop_config: LoopConfig = LoopConfig()
    dataset_config: DatasetConfig = DatasetConfig()
    training_config: dict[str, JsonValue] = {}
    eval_config: EvalConfig = EvalConfig()
    constraints: Constraints = Constraints()
    instructions: tuple[str, ...] = ()
    """The lines of user_instruction.md that say something."""
    unread_sections: tuple[str, ...] = ()
    """Top-level keys of the rules file that progtrain has no use for."""

    @field_validator("training_config")
    @classmethod
    def _in_range(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {key: _ranged(key, value) for key, value in given.items()}

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every value that the user gave a knob, one a knob: `training_config` outranks what is said in words."""
        said = {
            knob: Setting(knob, value, f"{INSTRUCTION_FILE}: {line.line}", binding=False)
            for line in self.understood
            for knob, value in line.values.items()
        }
        seed = {"seed": Setting("seed", self.seed, "seed", binding=True)} if "seed" in self.model_fields_set else {}
        written = {
            knob: Setting(knob, value, f"training_config.{key}", binding=True)
            for key, value in self.training_config.items()
            if (knob := canonical(key)) is not None
        }
        return tuple({**said, **seed, **written}.values())

    @property
    def locks(self) -> dict[str, JsonValue]:
        """Canonical knob -> the value that the user gave it; None where it is held as it is."""
        values = {setting.knob: setting.value for setting in self.settings}
        return {knob: values.get(knob, self.seed if knob == "seed" else None) for knob in self.lock_reasons}

    @property
    def lock_reasons(self) -> dict[str, str]:
        """Canonical knob that no version may change -> the rule that holds it, in words; the highest where several."""
        said = {knob: f"{INSTRUCTION_FILE}: {line.line}" for line in self.understood for knob in sorted(line.locks)}
        locked = {knob: f"constraints.lock: {name}" for name in self.constraints.lock for knob in sorted(group(name))}
        given = {setting.knob: setting.rule for setting in self.settings if setting.binding}
        return {**said, **locked, "seed": "one seed for all versions", **given}

    @property
    def understood(self) -> tuple[Instruction, ...]:
        """Every line of user_instruction.md as a machine understands it."""
        return tuple(understand(line) for line in self.instructions)

    @property
    def held_instructions(self) -> tuple[str, ...]:
        """The lines that became locks, with what they lock."""
        return tuple(f"{line.line!r} locks {', '.join(sorted(line.locks))}" for line in self.understood if line.locks)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the user's word no machine holds: said at the start and in the final report."""
        unread = (f"{RULES_FILE}: progtrain does not read {name!r}" for name in self.unread_sections)
        unknown = (
            f"training_config.{key} names no knob that progtrain knows{_perhaps(key)}: not enforced by the machine"
            for key in self.training_config
            if canonical(key) is None
        )
        return (*unread, *unknown, *self._not_understood, *self._outranked)

    @property
    def _not_understood(self) -> tuple[str, ...]:
        return tuple(
            f"{INSTRUCTION_FILE}: not enforced by the machine: {part}"
            for line in self.understood
            for part in line.unknown
        )

    @property
    def _outranked(self) -> Iterable[str]:
        given = {setting.knob: setting for setting in self.settings}
        for line in self.understood:
            for knob, value in line.values.items():
                if given[knob].value != value:
                    said = f"{INSTRUCTION_FILE}: not enforced by the machine: {line.line}"
                    yield f"{said} ({given[knob].rule} outranks it)"


def held_by(knobs: Iterable[str], reasons: Mapping[str, str]) -> str:
    """`lr (training_config.lr); layers, width (constraints.lock: capacity)`: the locked of some knobs, with the rules.

    Args:
        knobs: canonical names.
        reasons: `Rules.lock_reasons`.

    Returns:
        An empty text where none of them is locked.
    """
    held = sorted((knob for knob in {*knobs} if knob in reasons), key=lambda knob: (reasons[knob], knob))
    return "; ".join(f"{', '.join(some)} ({rule})" for rule, some in groupby(held, key=lambda knob: reasons[knob]))


def read_rules(folder: Path) -> Rules:
    """Read both files from `folder`; a missing file means no constraint.

    Args:
        folder: the workspace.

    Raises:
        RulesError: a file cannot be read, is not JSON, a value has no meaning, or `strict_instructions` is on and
            a line of the other file is not understood.
    """
    path = folder / RULES_FILE
    raw = read_object(path, RulesError) if os.path.lexists(path) else {}
    refuse_odd_values(path, raw)
    known = set(Rules.model_fields) - {"instructions", "unread_sections"}
    unread = tuple(key for key in raw if key not in known)
    try:
        rules = Rules.model_validate({key: value for key, value in raw.items() if key in known})
    except ValidationError as error:
        raise RulesError(explain(path, error)) from error
    _refuse_two_spellings(path, rules)
    instruction = folder / INSTRUCTION_FILE
    said = read_text(instruction, RulesError) if os.path.lexists(instruction) else ""
    lines = lines_of(said.removeprefix(BYTE_ORDER_MARK))
    rules = rules.model_copy(update={"instructions": lines, "unread_sections": unread})
    if rules.strict_instructions and rules._not_understood:
        raise RulesError(
            "strict_instructions is on, and these lines cannot be held:\n  "
            + "\n  ".join(rules._not_understood)
            + "\nSay them in another way (docs/rules.md), or turn strict_instructions off."
        )
    return rules


def _ranged(key: str, value: JsonValue) -> JsonValue:
    try:
        return in_range(canonical(key) or "", value)
    except ValueError as error:
        raise ValueError(f"{error} under {key!r}") from None


def _perhaps(key: str) -> str:
    match = nearest(key)
    return f" (perhaps {match!r} was meant)" if match else ""


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
