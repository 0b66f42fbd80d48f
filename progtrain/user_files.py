"""Files that a user writes, read strictly: what is no file, no UTF-8 or no plain JSON is one message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from progtrain.errors import ProgtrainError, shortened

MOST_BYTES: Final = 64_000_000
BYTE_ORDER_MARK: Final = "\ufeff"
"""Some editors write it before UTF-8; it says nothing."""
_MOST_DIGITS: Final = 400
_DEEPEST: Final = 32
_TOO_DEEP: Final = f"expected at most {_DEEPEST} levels of objects and lists, got more. Write plain values."


class _Refused(ValueError):
    """What JSON allows, and no two readers take for the same."""


def read_text(path: Path, refusal: type[ProgtrainError]) -> str:
    """The text of a file.

    Args:
        path: of something that is there.
        refusal: what is raised where it cannot be read.
    """
    if not path.is_file():  # a pipe would be waited for, and a device may have no end
        raise refusal(f"Expected a file at {path}, got {kind_of(path)}. Put the file there, or take that away.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise refusal(f"Expected {path} to have at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,}.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise refusal(
            f"Expected text in UTF-8 in {path}, got the byte 0x{error.object[error.start]:02x} at byte {error.start}. "
            "Save the file as UTF-8."
        ) from error
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}. Make it readable.") from error


def read_object(path: Path, refusal: type[ProgtrainError]) -> dict[str, JsonValue]:
    """The JSON object in a file; a key that stands there twice is refused.

    Args:
        path: of something that is there.
        refusal: what is raised where it cannot be read.
    """
    text = read_text(path, refusal).removeprefix(BYTE_ORDER_MARK)
    try:
        read = json.loads(text, object_pairs_hook=_unique, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise refusal(
            f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Mend that place."
        ) from error
    except _Refused as error:
        raise refusal(f"{path}: {error}") from error
    except RecursionError:
        raise refusal(f"{path}: {_TOO_DEEP}") from None
    if not isinstance(read, dict):
        raise refusal(f"{path}: expected a JSON object, got {type(read).__name__}. Write {{...}}.")
    if _is_deep(read):
        raise refusal(f"{path}: {_TOO_DEEP}")
    return read


def kind_of(path: Path) -> str:
    """What stands there, in words."""
    if path.is_dir():
        return "a folder"
    if path.is_file():
        return "a file"
    return "a link that leads nowhere" if path.is_symlink() and not path.exists() else "neither a file nor a folder"


def _is_deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [inner for each in level for inner in _inside(each)]
    return bool(level)


def _inside(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    read: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in read:
            raise _Refused(f"expected each key once, got {shortened(key, 60)!r} twice in one object. Keep one.")
        read[key] = value
    return read


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _Refused(f"expected numbers of a size that is in use, got one of {len(digits):,} digits. Write another.")
    return int(digits)
