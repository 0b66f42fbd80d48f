"""What a repair is: how a failure is recognised, and the smallest change of the script that mends it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import JsonValue


@dataclass(frozen=True)
class Failure:
    """How a script failed.

    Args:
        text: what it said: the exception, and what stands before it in the log.
        live: canonical knob -> value of what was about to be trained; empty where the script did not come to fit.
    """

    text: str
    live: Mapping[str, JsonValue] = field(default_factory=dict)


class Repair(ABC):
    """One kind of failure and what mends it; one a file, named as its file is.

    Attributes:
        signs: what is found in the text of such a failure.
        cause: of it, in words.
        touches: the canonical knobs that it may change; one that the rules hold is not repaired so.
    """

    name: ClassVar[str]
    signs: ClassVar[re.Pattern[str]]
    cause: ClassVar[str]
    touches: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    def recognises(self, failure: Failure) -> bool:
        """Whether a failure is of this kind."""
        return self.signs.search(failure.text) is not None

    @abstractmethod
    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """The mended script, and in words what it has otherwise; everything else stays byte for byte.

        Raises:
            EditError: the place to mend is not there, or not written in a way that can be followed.
        """
