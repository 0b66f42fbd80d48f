"""What a checkpoint tells of the settings that a version was trained with, held against those that the rules fix."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from progtrain.errors import EvaluationError
from progtrain.rules import Rules
from progtrain.script.capturing.checkpoints import read_checkpoint
from progtrain.script.settings.agreement import agrees

_KNOBS: Final = ("lr", "weight_decay", "momentum", "betas")
_ROUNDING: Final = 1e-6
#: Keys of a parameter group whose schedule begins at a rate of its own: one cycle, cycles, averaged weights.
_OWN_START: Final = frozenset({"max_lr", "max_momentum", "swa_lr"})


def hold_settings_of(checkpoint: Path, rules: Rules) -> None:
    """See that the optimizer which the checkpoint was saved with still had what `training_config` fixes.

    A script that sets `optimizer.param_groups[0]["lr"]` in a hook is about to train with one value and trains with
    another; one that goes on from a checkpoint trains with that one's. Where there is a schedule, the rate that it
    began with is held.

    Raises:
        EvaluationError: it had other values; the message names them.
    """
    saved = read_checkpoint(checkpoint)
    groups = [group for state in saved.get("optimizer_states", ()) for group in _groups(state)]
    schedules = list(_schedules(saved.get("lr_schedulers", ())))
    broken = []
    for setting in rules.settings:
        if not setting.binding or setting.knob not in _KNOBS:
            continue
        if setting.knob == "lr" and isinstance(setting.value, int | float):
            live = _other_rates(groups, schedules, setting.value)
        else:
            live = _other_values(groups, setting.knob, setting.value)
        if live:
            broken.append(f"{setting.rule} fixes {setting.knob} at {setting.value}, the optimizer had {live}")
    if broken:
        raise EvaluationError(
            f"{checkpoint.parent.name} was not trained as the rules say: {'; '.join(broken)}. "
            f"Find where 02_train_{checkpoint.parent.name}.py changes it while it trains, and train the version again."
        )


def _other_rates(groups: list[Mapping[str, Any]], schedules: list[Mapping[str, Any]], wanted: float) -> list[JsonValue]:
    """The rates that were trained with, where they are not the one that is wanted; a further group's may be lower."""
    own_start = any(_OWN_START & group.keys() for group in groups) or any("max_lrs" in each for each in schedules)
    rates = [float(group.get("initial_lr", group["lr"])) for group in groups if "lr" in group]
    if own_start or not rates or math.isclose(max(rates), wanted, rel_tol=_ROUNDING):
        return []
    # One that lowers the rate on a plateau leaves no trace of where it began.
    lowered = bool(schedules) and not any("initial_lr" in group for group in groups)
    return [] if lowered and max(rates) < wanted else [*rates]


def _other_values(groups: list[Mapping[str, Any]], knob: str, wanted: JsonValue) -> list[JsonValue]:
    live = [_value(group[knob]) for group in groups if knob in group]
    return live if live and agrees(knob, live, wanted) is False and wanted not in live else []


def _schedules(states: Any) -> Iterator[Mapping[str, Any]]:
    """The states of schedulers, and of those that they are made of."""
    for state in states:
        if isinstance(state, Mapping):
            yield state
            yield from _schedules(state.get("_schedulers", ()))


def _groups(state: Any) -> list[Mapping[str, Any]]:
    return list(state.get("param_groups", ())) if isinstance(state, Mapping) else []


def _value(raw: Any) -> JsonValue:
    if isinstance(raw, tuple | list):
        return [float(each) for each in raw]
    return raw if raw is None or isinstance(raw, bool | int | float | str) else float(raw)
