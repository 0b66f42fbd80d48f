"""The loop with a memory of loops on other data: what a team's earlier loops are worth.

    python benchmarks/peers/remembered.py WORKSPACE

WORKSPACE is `FOLDER/workspaces/memory/SEED/TASK`. Remembered are the loops of the method `best` that are there in the
same FOLDER, of all tasks but this one: the loop's own data set is never among them.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from progtrain.loop import opened, run_loop
from progtrain.records import Experience, Memory
from progtrain.steps import Context, initialize
from progtrain.steps.remember import RECORD
from progtrain.tasks import task_of
from progtrain.tracking.memory import read_store, store_of
from progtrain.workspace import Workspace, now


def memory_of_others(context: Context) -> Memory:
    """The counts of all their stores."""
    root = context.workspace.root
    tried: Counter[tuple[str, str, str]] = Counter()
    improved: Counter[tuple[str, str, str]] = Counter()
    loops = 0
    for other in sorted((root.parents[2] / "best").glob("*/*")):
        if other.name == root.name:
            continue
        remembered = read_store(store_of(Workspace(other)))
        loops += remembered.loops
        for entry in remembered.entries:
            key = entry.action, entry.finding, entry.task
            tried[key] += entry.tried
            improved[key] += entry.improved
    if not loops:
        raise SystemExit(f"No loop of the method best on another task stands beside {root}. Run that method first.")
    entries = (
        Experience(action=action, finding=finding, task=task, tried=count, improved=improved[action, finding, task])
        for (action, finding, task), count in sorted(tried.items())
    )
    task = task_of(context.loop.task_type)
    return Memory(store="the method best", task=task, loops=loops, entries=tuple(entries), read_at=now())


if __name__ == "__main__":
    with opened(Path(sys.argv[1]).resolve()) as opened_context:
        initialize(opened_context)
        opened_context.workspace.write_record(memory_of_others(opened_context), RECORD)
        run_loop(opened_context)
