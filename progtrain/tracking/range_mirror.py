"""The learning-rate range test of a version as a run nested in the run of the version."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.step_records import RANGE_TEST, RangeTestRecord
from progtrain.tracking import tags
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.nested import NestedRun, send_nested
from progtrain.tracking.session import Session
from progtrain.workspace import Workspace


@dataclass
class RangeMirror:
    """Sends range tests to one open session."""

    session: Session
    workspace: Workspace
    ledger: Ledger

    def push(self, version: str) -> None:
        """Send the range test of a version, if it is not there yet; what was tested as another version has no run.

        Raises:
            MlflowException: the store refuses, or is out of reach.
            SupersededError: the version's training was begun anew meanwhile.
        """
        state = self.ledger.version(version)
        record = self.workspace.read_record(RangeTestRecord, RANGE_TEST, version)
        if state.run_id is None or state.range_tested or record is None or record.same_as is not None:
            return
        if record.script_sha256 == self.workspace.script_sha256(version):
            send_nested(self.session, self.workspace, _described(version, state.training, state.run_id, record))
            self.ledger.change_version(version, state.training, range_tested=True)


def _described(version: str, training: str, parent: str, record: RangeTestRecord) -> NestedRun:
    about = {tags.KIND: "probe", tags.VERSION: version, tags.ACTION: RANGE_TEST}
    curves = {"loss": record.losses, "rate": record.rates}
    if record.suggested is None:
        about[tags.FAILURE] = tags.cut(record.remark)
    else:
        curves["suggested_rate"] = (record.suggested,)
    return NestedRun(
        name=f"{version} learning-rate range test",
        parent=parent,
        identity=(tags.PROBE, f"{training}-{RANGE_TEST}"),
        about=about,
        params={"action": RANGE_TEST},
        score=None,
        started_at=record.started_at,
        finished_at=record.finished_at,
        curves=curves,
        succeeded=record.suggested is not None,
    )
