"""What `progtrain memory` says: how actions did in earlier loops, and what that makes of their chances."""

from __future__ import annotations

from progtrain.actions import catalogue
from progtrain.advisors.beliefs import believe
from progtrain.records import Experience, Memory
from progtrain.steps.remember import RECORD
from progtrain.tracking.memory import read_store, store_of
from progtrain.workspace import Workspace


def describe_memory(source: str) -> str:
    """A table, a line for each action, finding and task.

    Args:
        source: a workspace, for what its loop was begun with (where it has not begun: for what its store holds); or the
            URI of an MLflow store, for what that holds.

    Raises:
        TrackingError: there is no such store.
        WorkspaceError: there is no such workspace.
    """
    memory = read_store(source) if "://" in source else _of_workspace(Workspace(source))
    told = sum(entry.tried for entry in memory.entries)
    head = f"{memory.store}: {told} change(s) for better or worse, of {memory.loops} loop(s)"
    if not memory.entries:
        return head
    lines = [f"{'action':28} {'finding':24} {'task':26} {'tried':>5} {'improved':>8} {'prior -> posterior':>18}"]
    return "\n".join([head, "", *lines, *(_line(memory, entry) for entry in memory.entries)])


def _of_workspace(workspace: Workspace) -> Memory:
    return workspace.read_record(Memory, RECORD) or read_store(store_of(workspace))


def _line(memory: Memory, entry: Experience) -> str:
    chances = "no such action now"
    action = catalogue().get(entry.action)
    if action is not None:
        belief = believe(
            entry.action, entry.finding, action.probability, (), memory.model_copy(update={"task": entry.task})
        )
        chances = f"{belief.prior:.2f} -> {belief.posterior:.2f}"
    return f"{entry.action:28} {entry.finding:24} {entry.task:26} {entry.tried:5} {entry.improved:8} {chances:>18}"
