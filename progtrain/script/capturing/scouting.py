"""A script's way from fit to fit: which of them is left at, and which are passed over."""

from __future__ import annotations

import os
import types
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from progtrain.script.capturing.attaching import FitArguments, pass_over, passed_over_in, stub_evaluations
from progtrain.script.capturing.fits import Seen, SeenFit, Told, choose_fit
from progtrain.script.capturing.forked import fork_a_scout, leave, tell, told_by
from progtrain.script.capturing.interception import patched
from progtrain.script.capturing.standing import Standing, standing_of_call

_SECONDS: Final = 30.0
"""For what a script does between its fits, and after the last."""
_MOST: Final = 8
"""Fits; that many from one place are as good as any number."""
_LONGEST: Final = 300
"""Letters of an error that is told."""
_ARTIFACTS: Final = Path("Models", "Artifacts")


class Way:
    """Around the run of a script; ends the forked process that looks ahead, where it began one.

    Args:
        script: path of the script.
        main: the module that it runs in.

    Attributes:
        notes: which fit was taken, and which were not, where there are several.
    """

    def __init__(self, script: Path, main: types.ModuleType) -> None:
        self._script, self._main, self._stubs = script, main, ExitStack()
        self._taken: int | None = None
        self._passed = 0
        self._pipe: int | None = None
        self._first: Standing | None = None
        self.notes: list[str] = []

    def passes(self, trainer: Any, given: FitArguments) -> bool:
        """Whether a fit is not the one that counts; the script may go on then as if it had trained.

        Raises:
            CaptureError: there are several fits, and it cannot be told which one counts.
        """
        standing = standing_of_call(os.path.abspath(self._script), "fit")
        if self._pipe is None and self._taken is None:
            self._first = standing
            self._taken = self._chosen(standing, trainer, given) if standing.again else 0
        if self._pipe is not None and self._passed:
            tell(self._pipe, Told(fit=SeenFit.of(standing, trainer, given.model)).model_dump_json())
        if self._passed == self._taken:
            self._stubs.close()
            return False
        if self._passed == _MOST:
            self.__exit__(None, None, None)
        if self._passed == 0:
            stub_evaluations(trainer, self._stubs.enter_context(patched({})))
        pass_over(trainer, given, self._passed)
        self._passed += 1
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        if self._pipe is None:
            self._stubs.close()
            return
        ended = "" if error is None or kind is SystemExit else f"{type(error).__name__}: {error}"
        looping = bool(ended) and self._first is not None and self._first.is_still_looping(trace)
        told = Told(error=ended[:_LONGEST], looping=looping, owner=passed_over_in(self._best()))
        tell(self._pipe, told.model_dump_json())
        leave()

    def _chosen(self, standing: Standing, trainer: Any, given: FitArguments) -> int | None:
        """Look ahead in a forked process; there, no fit is taken."""
        before = _files()
        process, pipe = fork_a_scout(_SECONDS)
        if process == 0:
            self._pipe = pipe
            return None
        told = [Told.model_validate_json(line) for line in told_by(process, pipe, _SECONDS)]
        for path in sorted(_files() - before, reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        seen = Seen.of(SeenFit.of(standing, trainer, given.model), told, bool(standing.loops), _SECONDS)
        choice = choose_fit(seen, self._script)
        self.notes += [choice.note] if choice.note else []
        return choice.position

    def _best(self) -> Path:
        version = getattr(self._main, "VERSION", "")
        return _ARTIFACTS / str(version) / "best.ckpt"


def _files() -> set[Path]:
    """What is in the artifact folders of the working directory; those of other versions are links, and are left."""
    return {path for folder in _ARTIFACTS.glob("*") if not folder.is_symlink() for path in folder.rglob("*")}
