"""Holding a script to the settings that the user fixed, and to the smoke test's batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from progtrain.errors import EditError
from progtrain.records import Overwritten, Snapshot
from progtrain.rules import Rules, Setting
from progtrain.script.auditing.issues import AuditFacts, Issue
from progtrain.script.editing.edit import set_or_add
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.agreement import agrees, is_there
from progtrain.script.settings.knob_values import knob_values


@dataclass(frozen=True)
class Held:
    """A script that says what the rules say, as far as it can be made to, and what was found on the way."""

    source: str
    issues: tuple[Issue, ...]


def hold_settings(source: str, snapshot: Snapshot, rules: Rules) -> Held:
    """Set every knob to which the user gave a value and which the live script has otherwise."""
    live, elsewhere = knob_values(snapshot), {each.knob: each for each in snapshot.overwritten}
    issues: list[Issue] = []
    for setting in rules.settings:
        value, other = live.get(setting.knob), elsewhere.get(setting.knob)
        if setting.knob == "seed" and not is_there(value):
            continue  # `check_seed` adds one
        if other is not None and (setting.binding or not _is_contradicted(setting, value, other)):
            continue  # to set it in the source would be without effect; `contradictions` tells of what is binding
        if other is not None:
            issues.append(_unenforced(_difference(setting, value, other)))
        elif not _is_met(setting, value, source):
            held = _hold(source, setting, value)
            source = held.source
            issues += held.issues
    return Held(source, tuple(issues))


def contradictions(snapshot: Snapshot, rules: Rules) -> tuple[str, ...]:
    """What is about to be trained otherwise than the rules fix it: every binding setting with another live value.

    A setting that nothing in the script answers to, or whose value cannot be compared, is none.
    """
    live, elsewhere = knob_values(snapshot), {each.knob: each for each in snapshot.overwritten}
    return tuple(
        _difference(setting, live.get(setting.knob), elsewhere.get(setting.knob))
        for setting in rules.settings
        if setting.binding and _is_contradicted(setting, live.get(setting.knob), elsewhere.get(setting.knob))
    )


def wishes(snapshot: Snapshot, rules: Rules) -> tuple[Setting, ...]:
    """What was asked for by name in words and is not there, as AdamW where SGD trains: a change may bring it about."""
    live = knob_values(snapshot)
    return tuple(
        setting
        for setting in rules.settings
        if not setting.binding
        and isinstance(setting.value, str)
        and agrees(setting.knob, live.get(setting.knob), setting.value) is False
    )


def locks_on(snapshot: Snapshot, rules: Rules) -> dict[str, str]:
    """Canonical knob -> what holds it, for changes to a script that trains as `snapshot`: a rule, but for wishes."""
    free = {wish.knob for wish in wishes(snapshot, rules)}
    ruled = {knob: rule for knob, rule in rules.lock_reasons.items() if knob not in free}
    return {**snapshot.overwritten_by, **ruled}


def apply_batch_size(source: str, snapshot: Snapshot, facts: AuditFacts) -> Held:
    """Set the smoke test's optimal batch size, unless the rules fix one or it is already there."""
    live = snapshot.train.batch_size if snapshot.train else None
    if facts.batch_size is None or facts.batch_size == live or "batch_size" in facts.rules.lock_reasons:
        return Held(source, ())
    message = f"the smoke test found {facts.batch_size} to be the optimal batch size, the script trains with {live}"
    return _set(source, "batch_size", facts.batch_size, message)


def _is_contradicted(setting: Setting, live: JsonValue, elsewhere: Overwritten | None) -> bool:
    if elsewhere is not None and not elsewhere.known:
        return True
    return is_there(live) and agrees(setting.knob, live, setting.value) is False


def _is_met(setting: Setting, live: JsonValue, source: str) -> bool:
    met = agrees(setting.knob, live, setting.value)
    if met is not None:
        return met
    place = read_anatomy(source).knobs.get(setting.knob)
    return place is not None and place.value == setting.value


def _hold(source: str, setting: Setting, live: JsonValue) -> Held:
    message = _difference(setting, live)
    unenforced = _unenforced(message)
    # What was said in words is set only where it is a number: names and absences take more than a literal.
    if not setting.binding and isinstance(setting.value, str):
        wish = f"{message}; no change may set it otherwise, and one that sets it so may be chosen"
        return Held(source, (Issue(wish, None, "not patched", False),))
    if not setting.binding and not isinstance(setting.value, int | float):
        return Held(source, (unenforced,))
    held = _set(source, setting.knob, setting.value, message)
    if held.source == source and not (setting.binding and is_there(live)):
        return Held(source, (replace(unenforced, remedy=held.issues[0].remedy),))
    return held


def _unenforced(message: str) -> Issue:
    return Issue(f"not enforced by the machine: {message}", None, "not patched", False)


def _difference(setting: Setting, live: JsonValue, elsewhere: Overwritten | None = None) -> str:
    asked = f"{setting.rule} asks for {setting.knob} {'none' if setting.value is None else setting.value}"
    if elsewhere is not None and not elsewhere.known:
        return f"{asked}, {elsewhere.by}"
    trained = f"the script trains with {live if is_there(live) else 'none'}"
    return f"{asked}, {trained}" if elsewhere is None else f"{asked}, {trained}, {elsewhere.by}"


def _set(source: str, knob: str, value: JsonValue, message: str) -> Held:
    there = read_anatomy(source).knobs.get(knob)
    line = there.line if there else None
    try:
        edited = set_or_add(source, knob, value)
    except EditError as error:
        return Held(source, (Issue(message, line, f"not patched: {error}", False),))
    return Held(edited, (Issue(message, line, f"{knob} set to {value}"),))
