"""Holding a script to the settings that the user fixed, and to the smoke test's batch size."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from progtrain.errors import EditError
from progtrain.knobs import canonical, nearest
from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.anatomy import read_anatomy
from progtrain.script.audit_types import AuditFacts, Issue
from progtrain.script.edit import set_or_add
from progtrain.script.knob_values import knob_values


@dataclass(frozen=True)
class Held:
    """A script that says what the rules say, as far as it can be made to, and what was found on the way."""

    source: str
    issues: tuple[Issue, ...]


def hold_settings(source: str, snapshot: Snapshot, rules: Rules) -> Held:
    """Set every knob that `training_config` (or an explicit `seed`) fixes and the live script has otherwise."""
    live = knob_values(snapshot)
    issues: list[Issue] = []
    for key, value in _fixed(rules).items():
        knob = canonical(key)
        if knob is None:
            issues.append(_unknown(key))
        elif not _same(live.get(knob), value):
            held = _set(source, knob, value, f"the rules fix {key} at {value}, the script trains with {live.get(knob)}")
            source = held.source
            issues += held.issues
    return Held(source, tuple(issues))


def apply_batch_size(source: str, snapshot: Snapshot, facts: AuditFacts) -> Held:
    """Set the smoke test's optimal batch size, unless the rules fix one or it is already there."""
    live = snapshot.train.batch_size if snapshot.train else None
    if facts.batch_size is None or facts.batch_size == live or "batch_size" in facts.rules.locks:
        return Held(source, ())
    message = f"the smoke test found {facts.batch_size} to be the optimal batch size, the script trains with {live}"
    return _set(source, "batch_size", facts.batch_size, message)


def _fixed(rules: Rules) -> dict[str, JsonValue]:
    seed: dict[str, JsonValue] = {"seed": rules.seed} if "seed" in rules.model_fields_set else {}
    return {**seed, **rules.training_config}


def _set(source: str, knob: str, value: JsonValue, message: str) -> Held:
    there = read_anatomy(source).knobs.get(knob)
    line = there.line if there else None
    try:
        edited = set_or_add(source, knob, value)
    except EditError as error:
        return Held(source, (Issue(message, line, f"not patched: {error}", False),))
    return Held(edited, (Issue(message, line, f"{knob} set to {value}"),))


def _same(live: JsonValue, wanted: JsonValue) -> bool:
    """Numbers by value, names whatever their case; one value stands for all parameter groups."""
    if isinstance(live, list) and not isinstance(wanted, list):
        return bool(live) and all(_same(each, wanted) for each in live if isinstance(each, (int, float)))
    if isinstance(live, str) and isinstance(wanted, str):
        return live.lower() == wanted.lower()
    return live == wanted


def _unknown(key: str) -> Issue:
    near = nearest(key)
    hint = f"; did you mean {near!r}?" if near else ""
    return Issue(f"training_config.{key} names no setting that progtrain knows{hint}", None, "not held", False)
