"""What the actions that add a learning-rate schedule have in common."""

from __future__ import annotations

from collections.abc import Mapping

from progtrain.actions._structural import one_optimizer
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.records import OptimizerSettings
from progtrain.script.editing.edit import reference
from progtrain.script.editing.optimization import add_scheduler, find_optimization, rate_expression
from progtrain.script.reading.structure import ParsedScript, rebuild


def constant_rate(situation: Situation) -> OptimizerSettings:
    """The optimizer of a script that trains at a constant rate, for a number of epochs or steps that is known.

    Raises:
        EditError: there is a schedule, no single optimizer, no known end, or no known rate.
    """
    snapshot = situation.snapshot
    settings = one_optimizer(situation)
    if snapshot.rate_changes:
        raise EditError(f"the script has a schedule already: {snapshot.rate_changes}; it wants a constant rate")
    if snapshot.schedulers:
        idle = snapshot.schedulers[0].type
        raise EditError(
            f"{idle} never changes the rate in this training; it wants it taken out of configure_optimizers"
        )
    unknown = next((each.by for each in snapshot.overwritten if each.knob == "lr" and not each.known), None)
    if unknown is not None:
        raise EditError(f"a schedule begins with a rate that is known, and {unknown}")
    if snapshot.max_epochs in (None, -1) and snapshot.max_steps == -1:
        raise EditError("a schedule needs an end, and the Trainer has neither max_epochs nor max_steps")
    return settings


def require_other_length(situation: Situation) -> None:
    """Check that the number of epochs is free to change by itself.

    Raises:
        EditError: the rate follows a function of the script's own, and the same number is read elsewhere.
    """
    place = situation.anatomy.knobs.get("epochs")
    functions = [kind.type for kind in situation.snapshot.schedulers if "lr_lambda" in str(kind.arguments)]
    if functions and place is not None and place.shared:
        uses = ", ".join(place.shared)
        raise EditError(f"{functions[0]} follows a function of the script's own, which the epochs may feed: {uses}")


def with_scheduler(
    source: str, scheduler: str, arguments: str, settings: Mapping[str, str] | None = None, factor: float = 1
) -> str:
    """The source with a scheduler built and returned in configure_optimizers.

    Args:
        source: the script.
        scheduler: name of a class of torch.optim.lr_scheduler.
        arguments: of its construction, behind the optimizer; `{rate}` stands for `factor` times the rate.
        settings: what Lightning is told about it: {"interval": "step"}; by itself it steps with the epochs.
        factor: without unit.

    Raises:
        EditError: there is a scheduler, or configure_optimizers is not understood.
    """
    source, name = reference(source, f"torch.optim.lr_scheduler.{scheduler}")
    optimization = find_optimization(ParsedScript(source))
    arguments = arguments.replace("{rate}", rate_expression(optimization, factor))
    return rebuild(source, add_scheduler(optimization, name, arguments, settings or {}))
