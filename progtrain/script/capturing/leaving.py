"""Running a training script as `__main__` up to the `Trainer.fit` that counts, and leaving it there."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from progtrain.errors import CaptureError
from progtrain.records import Overwritten
from progtrain.script.capturing.attaching import FitArguments
from progtrain.script.capturing.interception import as_main, fit_replaced, from_script, patched
from progtrain.script.capturing.patience import end_patience, patience
from progtrain.script.capturing.scouting import Way
from progtrain.script.capturing.trackers import trackers_apart
from progtrain.script.capturing.tuning import tuner_replaced

SEED_VARIABLE: Final = "PL_GLOBAL_SEED"


@dataclass(frozen=True)
class Left:
    """What was seen of a script on its way to the fit that counts.

    Attributes:
        notes: which fit that is, where there are several.
        overwritten: knobs that the script finds anew in every training.
    """

    notes: tuple[str, ...]
    overwritten: tuple[Overwritten, ...]


class _Reached(BaseException):
    """Leaves the script from inside `Trainer.fit`; no `except Exception` of the script holds it up."""


def leave_at_fit(script: Path, arguments: Sequence[str], at_fit: Callable[..., None]) -> Left:
    """Run a script as `__main__` in this process until it calls the `Trainer.fit` that counts, and leave it there.

    What its trackers are told goes into the working directory, which is the caller's business.

    Args:
        script: path of the script, with the rules beside it that limit its time.
        arguments: its command line.
        at_fit: called in place of the method, with the method itself, the trainer, and the method's own arguments.

    Raises:
        CaptureError: the script, or `at_fit`, raised, or it ended without calling fit; the cause is that exception. Or
            it took too long, or of several fits it cannot be told which one counts.
    """
    file, end, reached = os.path.abspath(script), "it ended", False
    overwritten: dict[str, Overwritten] = {}
    os.environ.pop(SEED_VARIABLE, None)

    def fit(original: Callable[..., None], trainer: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal reached
        if way.passes(trainer, FitArguments.of(*args, **kwargs)):
            return
        end_patience()
        at_fit(original, trainer, *args, **kwargs)
        reached = True
        raise _Reached

    patches = {**fit_replaced(fit), **tuner_replaced(file, lambda each: overwritten.update({each.knob: each}))}
    with trackers_apart(Path.cwd()), patched(patches), as_main(file, [str(script), *arguments]) as main:
        way = Way(script, main)
        try:
            with patience(script, file), way:
                exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), main.__dict__)
        except _Reached:
            pass
        except SystemExit as error:
            end = f"it exited with {error.code!r}"
        except CaptureError:
            raise
        except Exception as error:  # noqa: BLE001 - a user's script may raise anything, and it is passed on
            own = error.with_traceback(from_script(error.__traceback__, file))
            raise CaptureError(f"{script.name} raised {_where(own, file)}, before Trainer.fit.{_hint(own)}") from own
    if not reached:
        raise CaptureError(
            f"Expected {script.name} to call Trainer.fit; {end} without doing so. "
            "A training script trains with Lightning's Trainer when it is run without arguments."
        )
    return Left(tuple(way.notes), tuple(overwritten.values()))


def _where(error: Exception, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"SyntaxError: {error.msg} in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" in line {lines[-1]}" if lines else ""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {said}{place}"


def _hint(error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return ""
    return " Give the script of a workspace that has its data; `progtrain new` makes those of the examples."
