"""Which of the fits of a script counts: the one that leaves best.ckpt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from progtrain.errors import CaptureError
from progtrain.records import Record
from progtrain.script.capturing.standing import Standing

BEST: Final = "best"
"""Of a ModelCheckpoint's file, without its ending."""


class SeenFit(Record):
    """A call of `Trainer.fit`.

    Attributes:
        lines: of the script, from the innermost to the outermost.
        model: identity of the model that is trained.
        best: identity of the ModelCheckpoint that writes best.ckpt; None where none does.
        steps_aside: whether that one writes best-v1.ckpt where best.ckpt is there already.
    """

    lines: tuple[int, ...]
    model: int
    best: int | None
    steps_aside: bool = False

    @classmethod
    def of(cls, standing: Standing, trainer: Any, model: Any) -> SeenFit:
        """Of a trainer and a model that are about to be fitted."""
        best = next((each for each in checkpoints(trainer) if each.filename == BEST), None)
        aside = bool(getattr(best, "_enable_version_counter", True))
        return cls(lines=standing.lines, model=id(model), best=None if best is None else id(best), steps_aside=aside)


class Told(Record):
    """What is told by a process that looks ahead: a fit, or last that it is through.

    Attributes:
        fit: that the script calls.
        error: that the script ended with.
        looping: whether it came from a loop around the first fit.
        owner: see Seen.
    """

    fit: SeenFit | None = None
    error: str = ""
    looping: bool = False
    owner: int | None = None


@dataclass(frozen=True)
class Seen:
    """The fits that a script makes, as far as it was followed.

    Attributes:
        fits: in their order, the present one first.
        end: why it was not followed to its end; empty where it was.
        looping: whether that was in a loop, which may come to the present fit once more.
        owner: which of them wrote, in whatever way, the best.ckpt that is there at the end; None where none did.
    """

    fits: tuple[SeenFit, ...]
    end: str = ""
    looping: bool = False
    owner: int | None = None

    @classmethod
    def of(cls, present: SeenFit, told: Sequence[Told], in_loop: bool, seconds: float) -> Seen:
        """Of the present fit, which may stand in a loop, and what was told within some seconds."""
        fits = (present, *(each.fit for each in told if each.fit is not None))
        if not told or told[-1].fit is not None:
            return cls(fits, f"it took more than {seconds:.0f} s", in_loop)
        return cls(fits, told[-1].error, told[-1].looping, told[-1].owner)


@dataclass(frozen=True)
class Choice:
    """The fit that counts, by its position, and what is to be told of the others."""

    position: int
    note: str = ""


def checkpoints(trainer: Any) -> tuple[Any, ...]:
    """The ModelCheckpoints of a Trainer, of either of Lightning's packages."""
    return tuple(each for each in trainer.callbacks if any(k.__name__ == "ModelCheckpoint" for k in type(each).__mro__))


def choose_fit(seen: Seen, script: Path) -> Choice:
    """The fit that is captured.

    Args:
        seen: what the script was seen to do.
        script: for messages.

    Raises:
        CaptureError: no one model is what would be measured, or it cannot be told.
    """
    fits, line = seen.fits, seen.fits[0].lines[0]
    if len(fits) == 1:
        if seen.looping:
            raise CaptureError(
                f"{script.name} perhaps fits more than once: line {line} stands in a loop, and what follows it could "
                f"not be followed ({seen.end}). Take Trainer.fit out of the loop: one fit, of which best.ckpt is left."
            )
        unknown = f"What follows Trainer.fit in line {line} could not be followed ({seen.end}); it is taken for the "
        return Choice(0, f"{unknown}fit that counts." if seen.end else "")
    writers = [position for position, fit in enumerate(fits) if fit.best is not None]
    if len(writers) == 1:
        return _told(writers[0], fits)
    if not writers and seen.owner is not None:
        return _told(seen.owner, fits)
    one_model = len({fit.model for fit in fits}) == 1
    one_place = len({fit.lines for fit in fits}) < len(fits)
    if one_model and not one_place and not _leaves_the_first(fits):
        return _told(writers[-1] if writers else len(fits) - 1, fits)
    if not writers and not one_place:
        return _told(len(fits) - 1, fits)
    raise CaptureError(_refusal(fits, one_place, script))


def _leaves_the_first(fits: Sequence[SeenFit]) -> bool:
    """Whether best.ckpt is the first fit's, and the others' are best-v1.ckpt, best-v2.ckpt, …"""
    writers = [fit for fit in fits if fit.best is not None]
    return len({fit.best for fit in writers}) > 1 and any(fit.steps_aside for fit in writers[1:])


def _told(position: int, fits: Sequence[SeenFit]) -> Choice:
    lines = [fit.lines[0] for fit in fits]
    others = sorted({line for at, line in enumerate(lines) if at != position and line != lines[position]})
    passed = ", ".join(map(str, others))
    return Choice(
        position,
        f"The script fits more than once: captured is the fit in line {lines[position]}, which leaves best.ckpt; "
        f"{'that in line' if len(others) == 1 else 'those in lines'} {passed or lines[position]} "
        f"{'is' if len(others) == 1 else 'are'} not.",
    )


def _refusal(fits: Sequence[SeenFit], one_place: bool, script: Path) -> str:
    lines = sorted({fit.lines[0] for fit in fits})
    if one_place:
        return (
            f"{script.name} fits more than once: line {lines[-1]} is reached again and again (folds, or a search), and "
            "each training writes best.ckpt over, or beside, that of the one before, so no one model is what was "
            "measured. Keep one fold or setting as a constant, and call Trainer.fit once."
        )
    return (
        f"{script.name} fits more than once, in lines {', '.join(map(str, lines))}, and more than one of them writes "
        "best.ckpt, so it cannot be told which model is measured. Give that ModelCheckpoint to the fit that counts "
        "alone; name the files of the others otherwise."
    )
