"""The processes that load data end, or have no shared memory to hand it over by."""

from __future__ import annotations

import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.auditing.calls import without_argument
from progtrain.script.reading.structure import Edit, ParsedScript, argument, rebuild

_LOADER = "torch.utils.data.DataLoader"
_WORKERS, _OF_WORKERS = 5, ((13, "prefetch_factor"), (14, "persistent_workers"), (11, "multiprocessing_context"))


class LoaderWorkers(Repair):
    """Load in the training's own process."""

    signs = re.compile(
        r"DataLoader worker \(pid|unable to open shared memory|insufficient shared memory|Too many open files"
        r"|unable to mmap \d+ bytes|Can't pickle local object|An attempt has been made to start a new process before"
    )
    cause = "a process that loads data ended, or could not hand it over"
    touches = frozenset({"workers"})

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        edits: list[Edit] = []
        for call in script.calls():
            given = argument(call, _WORKERS, "num_workers") if script.called(call) == _LOADER else None
            if given is not None:
                edits.append(script.replace(given, "0"))
                edits += [edit for place, name in _OF_WORKERS for edit in without_argument(script, call, place, name)]
        if not edits:
            raise EditError("Expected num_workers= in a call of DataLoader, found none. Set it to 0.")
        return rebuild(source, edits), "num_workers is 0"
