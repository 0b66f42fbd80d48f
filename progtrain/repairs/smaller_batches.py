"""The machine's memory does not hold a batch: half of it is taken, and two are put together for a step."""

from __future__ import annotations

import re

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.editing.edit import set_or_add


class SmallerBatches(Repair):
    """Halve the batch, and take an optimizer's step for two of them."""

    signs = re.compile(r"out of memory|OutOfMemory|MemoryError|can't allocate memory|exit code -9\b", re.IGNORECASE)
    cause = "a batch does not fit into memory"
    touches = frozenset({"batch_size", "accumulate"})

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        size, together = failure.live.get("batch_size"), failure.live.get("accumulate") or 1
        if not isinstance(size, int) or not isinstance(together, int) or size < 2 or size % 2:
            raise EditError(f"Expected an even batch size to halve, got {size}.")
        after = set_or_add(set_or_add(source, "batch_size", size // 2), "accumulate", 2 * together)
        return after, f"batch_size is {size // 2}, in place of {size}, and {2 * together} batches make a step"
