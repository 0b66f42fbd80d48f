"""Arguments that are others in every version, or at every run, and tell nothing of how a script trains."""

from __future__ import annotations

import os
import re
import tempfile
import time
from typing import Final

from pydantic import JsonValue

_VERSION: Final = re.compile(r"(?<![A-Za-z0-9])(?:v\d{3,}|baseline)(?![A-Za-z0-9])")
_PLACE: Final = re.compile(
    r"(?:^|_)(?:dir|dirs|directory|path|paths|file|filename|folder|root|run_id|uuid|timestamp|started_at|start_time)"
    r"(?:$|_)|^(?:log|save|out|output)(?:dir|path|file)$|^(?:dir|file)path$"
)
"""Names of arguments that hold a place, or a moment, whatever is in them."""
_STAMPS: Final = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"  # a UUID
    r"|(?<![0-9a-zA-Z])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}(?![0-9a-zA-Z])"  # digits of a hash, or of an id
    r"|(?<!\d)\d{2,4}(?:[-_.:T h]+\d{2,4}){2,}(?:\.\d+)?(?!\d)"  # a moment
    r"|(?<!\d)\d{6,}(?:[.T_-]\d+)*(?!\d)"  # seconds, a date or a time without separators
)
_A_DAY: Final = 86400.0


def without_the_volatile(name: str, value: JsonValue) -> JsonValue:
    """An argument with a mark in the place of what changes from version to version, or from run to run.

    That is: a place on disk, the name of a version, an id, a moment.

    Args:
        name: of the argument.
        value: of plain data.
    """
    if isinstance(value, list):
        return [without_the_volatile(name, each) for each in value]
    if isinstance(value, float | int) and not isinstance(value, bool):
        return "<time>" if abs(value - time.time()) < _A_DAY else value
    if not isinstance(value, str):
        return value
    if _PLACE.search(name.lower()) or _is_a_place(value):
        return "<place>"
    return _STAMPS.sub("<stamp>", _VERSION.sub("<version>", value))


def _is_a_place(text: str) -> bool:
    """Whether a text names a place on disk; metrics (`val/loss`) have slashes too."""
    temporary = tempfile.gettempdir()
    return text.startswith((os.getcwd(), temporary, "./", "../", "/", "~/", "Models/")) or (
        os.sep in text and (os.path.exists(text) or os.path.exists(os.path.dirname(text)))
    )
