"""Files that a training script has no business with, held while it runs: records, scores, rules, scripts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from progtrain.errors import ProtocolChangedError
from progtrain.evaluation.yardstick.protocol import USER_METRICS
from progtrain.predictions import FILE_NAME
from progtrain.rules import INSTRUCTION_FILE, RULES_FILE
from progtrain.step_records import AGREEMENT, RANGE_TEST, WEIGHTS
from progtrain.workspace import Workspace

_LOOP_RECORDS: Final = ("loop", "protocol", "data_files", "report", "report_plan")
_VERSION_RECORDS: Final = ("author", "train", "evaluate", "analyze", "choose", "reevaluate", RANGE_TEST)
_SCORES: Final = ("eval_score.json", "result-analysis.md", "action-extract.md")
_LARGE: Final = ("best.ckpt", FILE_NAME)

_Stamp = tuple[int, int, int]


class Seal:
    """What is in the workspace now, to be held against what is there after a script has run.

    Args:
        workspace: whose files are held.
        version: whose script is to run; its own artifacts are its business.
    """

    def __init__(self, workspace: Workspace, version: str) -> None:
        self._workspace, self._version = workspace, version
        others = [other for other in workspace.versions() if other != version]
        records = [workspace.record_path(name) for name in _LOOP_RECORDS]
        records += [workspace.record_path(name, each) for each in (*others, version) for name in _VERSION_RECORDS]
        records += [workspace.record_path(name, other) for other in others for name in (AGREEMENT, WEIGHTS)]
        records += [workspace.artifacts(other) / name for other in others for name in _SCORES]
        users = [workspace.eval_script, *(workspace.root / n for n in (USER_METRICS, RULES_FILE, INSTRUCTION_FILE))]
        self._records = {path: _content(path) for path in records}
        self._scripts = {path: _content(path) for path in map(workspace.script, (*others, version))}
        self._users = {path: _content(path) for path in users}
        self._large = {path: _stamp(path) for path in (workspace.artifacts(o) / n for o in others for n in _LARGE)}

    def hold_records(self) -> None:
        """See that nothing was changed that progtrain alone writes; it is put back first.

        Raises:
            ProtocolChangedError: something was; the message names the files.
        """
        changed = [path for path, before in self._records.items() if _content(path) != before]
        for path in changed:
            _put_back(path, self._records[path])
        lost = [path for path, before in self._large.items() if _stamp(path) != before]
        if changed or lost:
            remedy = "Train and evaluate their versions again. " if lost else ""
            self._refuse((*changed, *lost), f"What is small was put back. {remedy}")

    def hold_users_files(self) -> None:
        """See that no script, no rule and no metric code was changed; what is the user's own is left as it is.

        Raises:
            ProtocolChangedError: something was; the message names the files.
        """
        held = {**self._users, **self._scripts}
        changed = [path for path, before in held.items() if _content(path) != before]
        if changed:
            self._refuse(changed, "If you did that yourself, run again; else restore them. ")

    def _refuse(self, changed: Iterable[Path], remedy: str) -> None:
        names = ", ".join(self._workspace.relative(path) for path in changed)
        own = self._workspace.relative(self._workspace.artifacts(self._version))
        raise ProtocolChangedError(
            f"While the script of {self._version} ran, files changed that it has no business with: {names}. "
            f"{remedy}A training script writes into {own} only: mend {self._workspace.script(self._version).name}."
        )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _put_back(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
