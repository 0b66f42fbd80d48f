"""Releases that were withdrawn because they harm whoever imports them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

#: Published by whoever had taken the project's account over; they run on import, and look for credentials.
_WITHDRAWN: Final = {name: frozenset({"2.6.2", "2.6.3"}) for name in ("lightning", "pytorch_lightning")}


def warnings_of_withdrawn() -> Iterator[str]:
    """A line for each withdrawn release that is installed here; nothing is imported to find out."""
    for name, releases in _WITHDRAWN.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        if installed in releases:
            yield (
                f"{name} {installed} is installed, which was withdrawn: it steals credentials when it is imported "
                "(Lightning-AI/pytorch-lightning #21691). Install another release, and change every key kept here."
            )
