"""A schedule of a fixed length is stepped more often than it was made for."""

from __future__ import annotations

import ast
import re
from typing import Final

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.reading.structure import Edit, ParsedScript, argument, rebuild

_SCHEDULER: Final = "torch.optim.lr_scheduler.OneCycleLR"
_LENGTH: Final = "int(self.trainer.estimated_stepping_batches)"
_POSITION: Final = {"total_steps": 2, "epochs": 3, "steps_per_epoch": 4}


class ScheduleTooShort(Repair):
    """Let the schedule be as long as the training."""

    signs = re.compile(r"Tried to step \d+ times\. The specified number of total steps is \d+")
    cause = "the schedule is made for fewer steps than are trained"
    touches = frozenset({"scheduler"})

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        calls = [call for call in script.calls() if script.called(call) == _SCHEDULER]
        if len(calls) != 1:
            raise EditError(f"Expected one OneCycleLR, found {len(calls)}. Change its length by hand.")
        function = script.within(calls[0], ast.FunctionDef)
        if not isinstance(function, ast.FunctionDef) or function.name != "configure_optimizers":
            raise EditError(f"Line {calls[0].lineno}: expected OneCycleLR in configure_optimizers.")
        edits = _as_long_as_the_training(script, calls[0])
        return rebuild(source, edits), f"OneCycleLR has total_steps={_LENGTH}"


def _as_long_as_the_training(script: ParsedScript, call: ast.Call) -> list[Edit]:
    total = argument(call, _POSITION["total_steps"], "total_steps")
    if total is not None:
        return [script.replace(total, _LENGTH)]
    named = sorted((k for k in call.keywords if k.arg in ("epochs", "steps_per_epoch")), key=lambda k: k.value.lineno)
    if len(named) != 2 or abs(call.keywords.index(named[0]) - call.keywords.index(named[1])) != 1:
        raise EditError(f"Line {call.lineno}: expected total_steps, or epochs and steps_per_epoch side by side.")
    first, last = sorted(named, key=call.keywords.index)
    start = script.source.rfind(str(first.arg), 0, script.start(first.value))
    return [Edit(start, script.end(last.value), f"total_steps={_LENGTH}")]
