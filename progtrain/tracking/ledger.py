"""What has been sent to MLflow and what was asked for, kept on disk so that nothing is sent twice or forgotten."""

from __future__ import annotations

import threading
import uuid
from typing import Literal, TypeVar

from pydantic import JsonValue

from progtrain.errors import TrackingError
from progtrain.records import Record
from progtrain.workspace import Workspace

RECORD = "tracking"
ModelForm = Literal["pt2", "code"]
R = TypeVar("R", bound=Record)


class RegisteredModel(Record):
    """A version's model as it stands in MLflow's registry; `uri` is `models:/NAME/NUMBER`."""

    name: str
    number: str
    uri: str
    form: ModelForm


class ClosedTraining(Record):
    """A training of a version that was begun and is no longer the one that counts."""

    training: str
    status: Literal["FAILED", "KILLED"]


class VersionTracking(Record):
    """How much of a version has reached MLflow. `training` is tagged on its run, which makes the run findable."""

    training: str
    failure: str | None = None
    superseded: tuple[ClosedTraining, ...] = ()
    parent_run_id: str | None = None
    run_id: str | None = None
    card: str | None = None
    """Digest of the parameters, tags and metrics as last sent."""
    points: int = 0
    """Of the curves, as last sent in full."""
    files: dict[str, str] = {}
    """Artifact path -> stamp of the file as last sent."""
    model: RegisteredModel | None = None
    repeats: tuple[int, ...] = ()
    """Numbers of the trainings with other seeds that were sent."""
    probes: tuple[int, ...] = ()
    """Numbers of the short trainings of a change that were sent."""
    range_tested: bool = False
    """Whether its learning-rate range test was sent."""


class LoopTracking(Record):
    """The parent run: where it is, and how much of it has reached MLflow."""

    loop: str
    store: str | None = None
    experiment_id: str | None = None
    parent_run_id: str | None = None
    model_name: str | None = None
    report: str | None = None
    """The newest report's folder, from the workspace's root."""
    promoted: str | None = None
    """The version that is to be champion."""
    champion: str | None = None
    """The version whose model was given the alias last."""
    files: dict[str, str] = {}


class SupersededError(TrackingError):
    """A training was begun anew while the one before was being sent."""


class Ledger:
    """Both records, changed by the loop's thread and by the sending one.

    Args:
        workspace: where they are kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()

    def loop(self) -> LoopTracking:
        """The loop's record; begun where there is none."""
        with self._lock:
            return self._loop()

    def change_loop(self, **changes: JsonValue) -> LoopTracking:
        """Replace fields of the loop's record."""
        with self._lock:
            record = _changed(self._loop(), changes)
            self._workspace.write_record(record, RECORD)
            return record

    def version(self, version: str) -> VersionTracking:
        """A version's record; begun where there is none."""
        with self._lock:
            return self._version(version)

    def change_version(self, version: str, training: str, **changes: JsonValue) -> VersionTracking:
        """Replace fields of a version's record.

        Raises:
            SupersededError: the record is about another training by now.
        """
        with self._lock:
            before = self._version(version)
            if before.training != training:
                raise SupersededError(f"{version}: expected training {training}, got {before.training}. Send it anew.")
            record = _changed(before, changes)
            self._workspace.write_record(record, RECORD, version)
            return record

    def begin_training(self, version: str, status_of_former: Literal["FAILED", "KILLED"]) -> None:
        """Start a new record; the training on record, if there is one, is to be closed with that status."""
        with self._lock:
            before = self._workspace.read_record(VersionTracking, RECORD, version)
            superseded: tuple[ClosedTraining, ...] = ()
            if before is not None:
                status = "FAILED" if before.failure is not None else status_of_former
                superseded = (*before.superseded, ClosedTraining(training=before.training, status=status))
            record = VersionTracking(training=uuid.uuid4().hex, superseded=superseded)
            self._workspace.write_record(record, RECORD, version)

    def tracked(self) -> dict[str, VersionTracking]:
        """Every version on disk that has a record."""
        records = {
            name: self._workspace.read_record(VersionTracking, RECORD, name) for name in self._workspace.versions()
        }
        return {name: record for name, record in records.items() if record is not None}

    def _loop(self) -> LoopTracking:
        record = self._workspace.read_record(LoopTracking, RECORD)
        if record is None:
            record = LoopTracking(loop=uuid.uuid4().hex)
            self._workspace.write_record(record, RECORD)
        return record

    def _version(self, version: str) -> VersionTracking:
        record = self._workspace.read_record(VersionTracking, RECORD, version)
        if record is None:
            record = VersionTracking(training=uuid.uuid4().hex)
            self._workspace.write_record(record, RECORD, version)
        return record


def _changed(record: R, changes: dict[str, JsonValue]) -> R:
    return type(record).model_validate({**record.model_dump(), **changes})
