"""Deterministic mode meets an operation that has no deterministic form."""

from __future__ import annotations

import ast
import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.auditing.calls import calls_of
from progtrain.script.reading.structure import Edit, ParsedScript, argument, rebuild

_SWITCH = "torch.use_deterministic_algorithms"


class DeterministicOperation(Repair):
    """Warn of such operations in place of refusing them."""

    signs = re.compile(r"does not have a deterministic implementation")
    cause = "an operation has no deterministic form, and deterministic mode refuses it"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        edits: list[Edit] = []
        for call in calls_of(script, "Trainer"):
            given = argument(call, len(call.args), "deterministic")
            if isinstance(given, ast.Constant) and given.value is True:
                edits.append(script.replace(given, '"warn"'))
        for call in script.calls():
            if script.called(call) == _SWITCH and not call.keywords:
                edits.append(Edit(script.end(call) - 1, script.end(call) - 1, ", warn_only=True"))
        if not edits:
            raise EditError("Expected deterministic=True in a call of Trainer, found none.")
        return rebuild(source, edits), 'deterministic mode warns (deterministic="warn")'
