"""Trainings with other seeds as runs nested in the run of their version."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.step_records import RepeatRecord, repeat_name
from progtrain.tracking import tags
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.nested import NestedRun, send_nested
from progtrain.tracking.session import Session
from progtrain.workspace import Workspace


@dataclass
class RepeatMirror:
    """Sends repeats to one open session."""

    session: Session
    workspace: Workspace
    ledger: Ledger

    def push(self, version: str) -> None:
        """Send the repeats of a version that are not there yet.

        Raises:
            MlflowException: the store refuses, or is out of reach.
            SupersededError: the version's training was begun anew meanwhile.
        """
        state = self.ledger.version(version)
        if state.run_id is None:
            return
        sent = list(state.repeats)
        for record in self.workspace.read_numbered(RepeatRecord, repeat_name, version):
            if record.number not in sent:
                send_nested(self.session, self.workspace, _described(version, state.training, state.run_id, record))
                sent.append(record.number)
                self.ledger.change_version(version, state.training, repeats=[*sent])


def _described(version: str, training: str, parent: str, record: RepeatRecord) -> NestedRun:
    return NestedRun(
        name=f"{version} repeat {record.number}",
        parent=parent,
        identity=(tags.REPEAT, f"{training}-{record.number}"),
        about={tags.KIND: "repeat", tags.VERSION: version},
        params={"seed": str(record.seed)},
        score=record.score,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
