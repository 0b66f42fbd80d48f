"""`progtrain apply`: one action of the catalogue on one script, under the rules of the script's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from progtrain.actions import action_named
from progtrain.errors import ArgumentError, EditError
from progtrain.executors.local import LocalExecutor
from progtrain.layout import check_layout
from progtrain.records import Proposal, Refusal
from progtrain.script.editing.versioning import body, unified_diff, with_body
from progtrain.steps.exploring import explore, snapshot_of
from progtrain.steps.guard import differs_wrongly
from progtrain.steps.offers import offer
from progtrain.workspace import Workspace, write_atomic


def apply_action(name: str, path: Path, overrides: Sequence[str], write: bool) -> str:
    """Bind an action to a script, apply it, and hold the result against the rules, as the loop would.

    Args:
        name: of the action.
        path: of the script.
        overrides: `parameter=value` each, with the value in JSON, instead of what the action would choose.
        write: into the script; otherwise it stays as it is.

    Returns:
        What differs, as a unified diff.

    Raises:
        ArgumentError: no such action or parameter, or the parameter's value is not JSON.
        EditError: the action has nothing to offer here, or what it makes may not be trained.
        CaptureError: the script, before or after, does not reach `Trainer.fit`.
        RulesError: the rules of the script's folder have no meaning.
        WorkspaceError: what stands in that folder is not of the kind that belongs there.
    """
    action = action_named(name)
    workspace = Workspace(path.resolve().parent)
    check_layout(workspace)
    with LocalExecutor("warm", workspace.state / "supervisor.log") as executor:
        explored = explore(path, executor)
        answer = offer(explored.rules, explored.situation, action)
        if isinstance(answer, Refusal):
            raise EditError(f"{name} is not applied to {path.name}: {answer.reason}")
        before = body(explored.source)
        proposal = answer.model_copy(update={"parameters": _overridden(answer, overrides)})
        after = with_body(explored.source, action.apply(before, proposal.parameters))
        child = snapshot_of(path, after, executor)
    broken = differs_wrongly(explored.rules, explored.situation.snapshot, child, proposal)
    if broken is not None:
        raise EditError(f"{name} is not applied to {path.name}: {broken}")
    if write:
        write_atomic(path, after)
    return unified_diff(explored.source, after, path.name, f"{path.name} after {name}")


def _overridden(proposal: Proposal, overrides: Sequence[str]) -> dict[str, JsonValue]:
    parameters = dict(proposal.parameters)
    for override in overrides:
        key, _, text = override.partition("=")
        if key not in parameters:
            there = ", ".join(f"{known}={json.dumps(value)}" for known, value in proposal.parameters.items()) or "none"
            raise ArgumentError(f"{proposal.action} has no parameter {key!r} here; its parameters are: {there}.")
        try:
            parameters[key] = json.loads(text)
        except json.JSONDecodeError as error:
            raise ArgumentError(
                f"Expected --set {key}=VALUE with a value in JSON (0.5, true, '\"text\"'), got {text!r}: {error.msg}."
            ) from error
    return parameters
