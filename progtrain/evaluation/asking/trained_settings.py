"""What a checkpoint tells of the settings that a version was trained with, held against those that the rules fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from progtrain.errors import EvaluationError
from progtrain.rules import Rules
from progtrain.script.capturing.checkpoints import read_checkpoint
from progtrain.script.settings.agreement import agrees

_KNOBS: Final = ("lr", "weight_decay", "momentum", "betas")


def hold_settings_of(checkpoint: Path, rules: Rules) -> None:
    """See that the optimizer which the checkpoint was saved with still had what `training_config` fixes.

    A script that sets `optimizer.param_groups[0]["lr"]` in a hook is about to train with one value and trains with
    another. Without a scheduler the learning rate may fall, as a schedule of the script's own makes it, not rise.

    Raises:
        EvaluationError: it had other values; the message names them.
    """
    saved = read_checkpoint(checkpoint)
    groups = [group for state in saved.get("optimizer_states", ()) for group in _groups(state)]
    scheduled = bool(saved.get("lr_schedulers"))
    broken = []
    for setting in rules.settings:
        if not setting.binding or setting.knob not in _KNOBS or (setting.knob == "lr" and scheduled):
            continue
        live = [_value(group[setting.knob]) for group in groups if setting.knob in group]
        if live and _differs(setting.knob, live, setting.value):
            broken.append(f"{setting.rule} fixes {setting.knob} at {setting.value}, the optimizer had {live}")
    if broken:
        raise EvaluationError(
            f"{checkpoint.parent.name} was not trained as the rules say: {'; '.join(broken)}. "
            f"Find where 02_train_{checkpoint.parent.name}.py changes it while it trains, and train the version again."
        )


def _groups(state: Any) -> list[Mapping[str, Any]]:
    return list(state.get("param_groups", ())) if isinstance(state, Mapping) else []


def _value(raw: Any) -> JsonValue:
    if isinstance(raw, tuple | list):
        return [float(each) for each in raw]
    return raw if raw is None or isinstance(raw, bool | int | float | str) else float(raw)


def _differs(knob: str, live: list[JsonValue], wanted: JsonValue) -> bool:
    if knob == "lr" and isinstance(wanted, int | float):
        return any(isinstance(rate, int | float) and rate > wanted * (1 + 1e-6) for rate in live)
    return agrees(knob, live, wanted) is False and wanted not in live
