"""ReduceLROnPlateau is returned without a word on what it watches."""

from __future__ import annotations

import ast
import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.auditing.monitored import valid_loss
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_PLATEAU = "torch.optim.lr_scheduler.ReduceLROnPlateau"


class PlateauWithoutMonitor(Repair):
    """Let it watch the validation loss."""

    signs = re.compile("must include a monitor when a `ReduceLROnPlateau`")
    cause = "Lightning is not told what ReduceLROnPlateau watches"
    touches = frozenset({"scheduler"})

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        loss = valid_loss(script)
        if loss is None:
            raise EditError("Expected a validation loss that is logged, found none. Log one in validation_step.")
        functions = [node for node in ast.walk(script.tree) if getattr(node, "name", "") == "configure_optimizers"]
        returns = [node.value for each in functions for node in ast.walk(each) if isinstance(node, ast.Return)]
        if len(returns) != 1 or returns[0] is None:
            raise EditError("Expected one return in configure_optimizers. Give the scheduler a monitor there.")
        edits = _told(script, returns[0], f'"monitor": "{loss}"')
        return rebuild(source, edits), f"ReduceLROnPlateau watches {loss}"


def _told(script: ParsedScript, returned: ast.expr, monitor: str) -> list[Edit]:
    match returned:
        case ast.Dict(keys=keys, values=values):
            named = {key.value: value for key, value in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
            inner = named.get("lr_scheduler")
            return [_added(script, inner if isinstance(inner, ast.Dict) else returned, monitor)]
        case ast.Tuple(elts=[_, ast.List(elts=[scheduler]) | (ast.Tuple(elts=[scheduler]))]):
            if isinstance(scheduler, ast.Dict):
                return [_added(script, scheduler, monitor)]
            return [script.replace(scheduler, f'{{"scheduler": {script.text(scheduler)}, {monitor}}}')]
    raise EditError(f"Line {returned.lineno}: expected a scheduler returned in a list or a dict. Give it a monitor.")


def _added(script: ParsedScript, entries: ast.Dict, monitor: str) -> Edit:
    end = script.end(entries.values[-1])
    return Edit(end, end, f", {monitor}")
