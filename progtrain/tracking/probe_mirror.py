"""Probes, the short trainings of a change, as runs nested in the run of the version that the change is made to."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.step_records import ProbeRecord, probe_name
from progtrain.tracking import tags
from progtrain.tracking.card import as_param
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.nested import NestedRun, send_nested
from progtrain.tracking.session import Session
from progtrain.workspace import Workspace

_NO_CHANGE = "none"


@dataclass
class ProbeMirror:
    """Sends probes to one open session."""

    session: Session
    workspace: Workspace
    ledger: Ledger

    def push(self, version: str) -> None:
        """Send the probes made from a version that are not there yet.

        Raises:
            MlflowException: the store refuses, or is out of reach.
            SupersededError: the version's training was begun anew meanwhile.
        """
        state = self.ledger.version(version)
        if state.run_id is None:
            return
        sent = list(state.probes)
        script = self.workspace.script_sha256(version)
        for record in self.workspace.read_numbered(ProbeRecord, probe_name, version):
            if record.number not in sent and record.script_sha256 == script:
                send_nested(self.session, self.workspace, _described(version, state.training, state.run_id, record))
                sent.append(record.number)
                self.ledger.change_version(version, state.training, probes=[*sent])


def _described(version: str, training: str, parent: str, record: ProbeRecord) -> NestedRun:
    action = record.action or _NO_CHANGE
    about = {tags.KIND: "probe", tags.VERSION: version, tags.ACTION: action}
    if record.score is None:
        about[tags.FAILURE] = tags.cut(record.remark)
    return NestedRun(
        name=f"{version} probe {record.number} {action}",
        parent=parent,
        identity=(tags.PROBE, f"{training}-{record.number}"),
        about=about,
        params={"action": action, "action_parameters": as_param(record.parameters), "epochs": str(record.epochs)},
        score=record.score,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
