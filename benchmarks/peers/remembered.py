"""The loop with a memory of earlier loops, of other tasks or of its own: what a team's earlier loops are worth.

    python benchmarks/peers/remembered.py WORKSPACE

WORKSPACE is `FOLDER/workspaces/METHOD/SEED/TASK`. Remembered are the loops of the method `best` that are there in the
same FOLDER: by `memory` those of all tasks but this one, by `own-memory` those of this task with other seeds.
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


def memory_for(context: Context) -> Memory:
    """The counts of all their stores."""
    root = context.workspace.root
    own_task = root.parents[1].name == "own-memory"
    tried: Counter[tuple[str, str, str]] = Counter()
    improved: Counter[tuple[str, str, str]] = Counter()
    loops = 0
    for other in sorted((root.parents[2] / "best").glob("*/*")):
        same_task, same_seed = other.name == root.name, other.parent.name == root.parent.name
        if same_task is not own_task or (same_task and same_seed):
            continue
        remembered = read_store(store_of(Workspace(other)))
        loops += remembered.loops
        for entry in remembered.entries:
            key = entry.action, entry.finding, entry.task
            tried[key] += entry.tried
            improved[key] += entry.improved
    if not loops:
        raise SystemExit(f"No loop of the method best to be remembered stands beside {root}. Run that method first.")
    entries = (
        Experience(action=action, finding=finding, task=task, tried=count, improved=improved[action, finding, task])
        for (action, finding, task), count in sorted(tried.items())
    )
    task = task_of(context.loop.task_type)
    return Memory(store="the method best", task=task, loops=loops, entries=tuple(entries), read_at=now())


if __name__ == "__main__":
    with opened(Path(sys.argv[1]).resolve()) as opened_context:
        initialize(opened_context)
        opened_context.workspace.write_record(memory_for(opened_context), RECORD)
        run_loop(opened_context)
