"""The user's folder: the only module that joins paths, writes atomically, and holds the lock."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from progtrain.errors import ArgumentError, ScriptError, WorkspaceBusyError, WorkspaceError, shortened
from progtrain.records import Record
from progtrain.step_records import StepRecord
from progtrain.user_files import read_text

_VERSION_SCRIPT = re.compile(r"02_train_v(\d{3,})\.py")
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BASELINE = "baseline"

R = TypeVar("R", bound=Record)


def version_id(number: int) -> str:
    """`1` -> `v001`."""
    return f"v{number:03d}"


def version_number(version: str) -> int:
    """`v001` -> `1`."""
    return int(version[1:])


def sha256_of(text: str) -> str:
    """Hex digest of a script's text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Workspace:
    """A workspace by its root; every path in progtrain comes from here.

    Args:
        root: an existing folder.

    Raises:
        WorkspaceError: `root` is not a folder.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().resolve()
        if not self.root.is_dir():
            raise WorkspaceError(
                f"Expected a workspace folder at {self.root}; there is none. "
                "`progtrain new mnist1d FOLDER` makes one from an example."
            )

    # --- scripts ---

    @property
    def baseline_script(self) -> Path:
        """02_train_baseline.py."""
        return self.root / "02_train_baseline.py"

    @property
    def eval_script(self) -> Path:
        """03_eval.py."""
        return self.root / "03_eval.py"

    @property
    def report_script(self) -> Path:
        """04_final_report.py."""
        return self.root / "04_final_report.py"

    def script(self, version: str) -> Path:
        """The training script of a version (`v001`) or of the baseline."""
        return self.root / f"02_train_{version}.py"

    def read_script(self, version: str) -> str:
        """The text of a version's training script.

        Raises:
            WorkspaceError: there is no such version.
            ScriptError: it is no file, or no text.
        """
        if not os.path.lexists(self.script(version)):
            there = ", ".join(self.versions()) or "none"
            raise WorkspaceError(f"No script {self.script(version).name} in {self.root}; versions: {there}.")
        return read_text(self.script(version), ScriptError)

    def named_version(self, name: str) -> str:
        """The version that the command line names: `v003`, `003` and `3` are one.

        Raises:
            ArgumentError: there is none of that name.
        """
        digits = name.removeprefix("v")
        version = version_id(int(digits)) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else name
        there = self.versions() or (version_id(1),)  # which Step 0 makes
        if version not in there:
            raise ArgumentError(
                f"Expected a version of {self.root}, got {shortened(name, 60)!r}. Name one of: {', '.join(there)}."
            )
        return version

    def versions(self) -> tuple[str, ...]:
        """The versions whose scripts are on disk, oldest first."""
        numbers = (
            int(match[1])
            for path in self.root.glob("02_train_v*.py")
            if (match := _VERSION_SCRIPT.fullmatch(path.name))
        )
        return tuple(version_id(number) for number in sorted(numbers))

    def script_sha256(self, version: str) -> str:
        """Hash of a version's script as it now stands."""
        return sha256_of(self.read_script(version))

    # --- data ---

    def prepdata(self, dataset_id: str) -> Path:
        """dataset/prepdata/{dataset_id}.

        Raises:
            WorkspaceError: the id would leave dataset/prepdata/, or no such data set is there.
        """
        base = self.root / "dataset" / "prepdata"
        if not _SAFE_ID.fullmatch(dataset_id):
            raise WorkspaceError(
                f"Expected a dataset_id that is one folder's name below {base}, got {dataset_id!r}. "
                "Use letters, digits, '.', '_' and '-'."
            )
        folder = base / dataset_id
        if not folder.is_dir():
            there = sorted(path.name for path in base.glob("*") if path.is_dir())
            raise WorkspaceError(
                f"No prepared data set {dataset_id!r} at {folder}; there are {there or 'none'}. "
                "Set dataset_config.dataset_id to one that is there."
            )
        return folder

    # --- models ---

    def artifacts(self, version: str) -> Path:
        """Models/Artifacts/{version}; a builder's `Baseline` with a capital B is read where it stands."""
        folder = self.root / "Models" / "Artifacts" / version
        if version == BASELINE and not folder.is_dir():
            capital = folder.with_name("Baseline")
            return capital if capital.is_dir() else folder
        return folder

    @property
    def external(self) -> Path:
        """Models/external."""
        return self.root / "Models" / "external"

    def external_names(self) -> tuple[str, ...]:
        """The folders in Models/external, each a model from elsewhere."""
        return tuple(sorted(path.name for path in self.external.glob("*") if path.is_dir()))

    @property
    def reports(self) -> Path:
        """Models/Report."""
        return self.root / "Models" / "Report"

    def relative(self, path: Path) -> str:
        """A path as it is written into records: from the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    # --- state ---

    @property
    def state(self) -> Path:
        """.progtrain: one JSON record a step, logs, and the lock."""
        return self.root / ".progtrain"

    def version_state(self, version: str) -> Path:
        """.progtrain/{version}."""
        return self.state / version

    def log(self, version: str, name: str) -> Path:
        """.progtrain/{version}/{name}.log."""
        return self.version_state(version) / f"{name}.log"

    def record_path(self, name: str, version: str | None = None) -> Path:
        """Where a record of that name lies."""
        return (self.state if version is None else self.version_state(version)) / f"{name}.json"

    def read_record(self, kind: type[R], name: str, version: str | None = None) -> R | None:
        """The record, or None where it is missing or cannot be read."""
        try:
            return kind.model_validate_json(self.record_path(name, version).read_bytes())
        except (OSError, ValidationError):
            return None

    def read_numbered(self, kind: type[R], name: Callable[[int], str], version: str) -> Iterator[R]:
        """A version's records that are numbered from 1 without a gap.

        Args:
            kind: of the records.
            name: number -> name of the record.
            version: whose they are.
        """
        for number in count(1):
            record = self.read_record(kind, name(number), version)
            if record is None:
                return
            yield record

    def write_record(self, record: Record, name: str, version: str | None = None) -> None:
        """Write a record so that it is there whole or not at all."""
        write_atomic(self.record_path(name, version), record.model_dump_json(indent=2) + "\n")

    def forget(self, name: str, version: str | None = None) -> None:
        """Remove a record; nothing happens where there is none."""
        self.record_path(name, version).unlink(missing_ok=True)

    def is_whole(self, record: StepRecord | None, version: str) -> bool:
        """Whether a step need not be done again: same script, every output there and not empty."""
        if record is None or record.script_sha256 != self.script_sha256(version):
            return False
        return all(_has_content(self.root / output) for output in record.outputs)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one loop.

        Raises:
            WorkspaceBusyError: another loop holds it; the message names that one.
        """
        self.state.mkdir(exist_ok=True)
        holder = self.state / "lock.json"
        held = FileLock(self.state / "lock")
        try:
            held.acquire(timeout=0)
        except Timeout:
            raise WorkspaceBusyError(
                f"Another loop works in {self.root}: {_holder(holder)}. Wait for it, or end it first."
            ) from None
        try:
            mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": now().isoformat()}
            write_atomic(holder, json.dumps(mine))
            yield
        finally:
            holder.unlink(missing_ok=True)
            held.release()


def now() -> datetime:
    """The present moment in UTC, to the millisecond: records are read by people, and timed by benchmarks."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def write_atomic(path: Path, text: str) -> None:
    """Write to a temporary name beside `path`, flush it to disk, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _has_content(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.is_file() and path.stat().st_size > 0


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']}, since {who['since']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just begun"
