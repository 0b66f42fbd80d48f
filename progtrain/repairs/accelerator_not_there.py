"""The Trainer asks for a kind of device that this machine has not."""

from __future__ import annotations

import ast
import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.auditing.calls import calls_of
from progtrain.script.reading.structure import ParsedScript, argument, rebuild

_POSITION = {"accelerator": 0, "strategy": 1, "devices": 2}


class AcceleratorNotThere(Repair):
    """Leave the choice of the device to Lightning."""

    signs = re.compile(
        r"No supported gpu backend found|can not run on your system since the accelerator is not available"
        r"|selected with `CPUAccelerator` should be an int|You requested gpu: \[|invalid accelerator name"
    )
    cause = "the Trainer asks for a device that is not there"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        edits, told = [], []
        for call in calls_of(script, "Trainer"):
            for name, position in _POSITION.items():
                given = None if position == 1 else argument(call, position, name)
                if given is None or (isinstance(given, ast.Constant) and given.value in ("auto", "cpu", 1)):
                    continue
                edits.append(script.replace(given, '"auto"'))
                told.append(f'{name} is "auto", in place of {script.text(given)}')
        if not edits:
            raise EditError("Expected accelerator= or devices= written out in a call of Trainer, found none.")
        return rebuild(source, edits), "; ".join(told)
