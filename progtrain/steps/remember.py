"""Part of Step 0: what earlier loops learned, read once a loop, so that a loop taken up again decides alike."""

from __future__ import annotations

from progtrain.records import Memory
from progtrain.steps.context import Context
from progtrain.tasks import task_of
from progtrain.tracking.memory import recall

RECORD = "memory"


def remember(context: Context) -> None:
    """Keep what the store holds of earlier loops, unless that was done, or the rules want none of it.

    Raises:
        TrackingError: MLFLOW_TRACKING_URI cannot be used.
    """
    if not context.rules.loop_config.use_memory or remembered(context) is not None:
        return
    memory = recall(context.workspace, task_of(context.loop.task_type))
    context.workspace.write_record(memory, RECORD)
    if memory.remark:
        context.say(f"warning: the loop begins without memory of earlier ones: {memory.remark}")
    elif memory.loops:
        tries = sum(entry.tried for entry in memory.entries)
        context.say(f"memory: {tries} change(s) of {memory.loops} earlier loop(s); `progtrain memory` shows them")


def remembered(context: Context) -> Memory | None:
    """What this loop was begun with; None where nothing was read, or where the rules want none of it."""
    if not context.rules.loop_config.use_memory:
        return None
    return context.workspace.read_record(Memory, RECORD)
