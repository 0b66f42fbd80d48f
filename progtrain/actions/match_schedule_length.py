"""A schedule as long as the training."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript, argument, rebuild
from progtrain.script.settings.duration import schedule_misfit

_SCHEDULERS = "torch.optim.lr_scheduler"
_POSITION = {"T_max": 1, "total_steps": 2, "epochs": 3, "total_iters": 1, "step_size": 1, "milestones": 1}
_LENGTH = {"epoch": "self.trainer.max_epochs", "step": "int(self.trainer.estimated_stepping_batches)"}
#: When a schedule of steps takes them; the others are as long as the training.
_TIMES = {"step_size": "max(1, {length} // 3)", "milestones": "[{length} // 2, {length} * 3 // 4]"}


class MatchScheduleLength(StructuralAction):
    """Write the scheduler's length in terms of the Trainer's."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("schedule-length",)
    risk = "low"
    probability = 0.65
    gain = 0.15
    goal = "Let the rate come down just when the training ends"
    expected_impact = "Less jitter in the last epochs, and a better last epoch"
    verification = "The best epoch is among the last, and its metric above the parent's best"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        misfit = schedule_misfit(situation.snapshot)
        if misfit is None:
            raise EditError("no scheduler is made for another length than the training's")
        return Binding(
            {"scheduler": misfit.scheduler, "argument": misfit.argument, "interval": misfit.interval},
            f"{misfit.argument} of {misfit.scheduler}, {misfit.present:g} now, follows the training's length "
            f"of {misfit.length} {misfit.interval}s",
            self.touches,
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        scheduler, name = str(parameters["scheduler"]), str(parameters["argument"])
        script = ParsedScript(source)
        calls = [call for call in script.calls() if script.called(call) == f"{_SCHEDULERS}.{scheduler}"]
        if len(calls) != 1:
            raise EditError(f"Expected one {scheduler}, found {len(calls)}. Change its length by hand.")
        function = script.within(calls[0], ast.FunctionDef)
        if not isinstance(function, ast.FunctionDef) or function.name != "configure_optimizers":
            raise EditError(f"Line {calls[0].lineno}: expected {scheduler} to be made in configure_optimizers.")
        given = argument(calls[0], _POSITION[name], name)
        if given is None:
            raise EditError(f"Line {calls[0].lineno}: expected {scheduler}'s {name} spelled out. Write it.")
        length = _TIMES.get(name, "{length}").replace("{length}", _LENGTH[str(parameters["interval"])])
        return changed(source, rebuild(source, [script.replace(given, length)]), self.name)
