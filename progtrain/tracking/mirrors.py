"""Everything that talks to one open session; importing this module imports mlflow."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.executors import Executor
from progtrain.rules import Rules
from progtrain.tracking.external_mirror import ExternalMirror
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.loop_mirror import LoopMirror
from progtrain.tracking.probe_mirror import ProbeMirror
from progtrain.tracking.range_mirror import RangeMirror
from progtrain.tracking.registry import Registry
from progtrain.tracking.repeat_mirror import RepeatMirror
from progtrain.tracking.session import open_session
from progtrain.tracking.store import Store
from progtrain.tracking.version_mirror import VersionMirror
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class Mirrors:
    """What brings the versions' runs, the parent run and the registry up to date."""

    versions: VersionMirror
    loop: LoopMirror
    registry: Registry
    repeats: RepeatMirror
    probes: ProbeMirror
    range_tests: RangeMirror
    external: ExternalMirror


def open_mirrors(
    store: Store, workspace: Workspace, rules: Rules, executor: Executor, ledger: Ledger, dataset_id: str
) -> Mirrors:
    """Open the store for a workspace.

    Raises:
        MlflowException: the store is out of reach, or refuses.
    """
    session = open_session(store, workspace, ledger)
    return Mirrors(
        VersionMirror(session, workspace, rules, ledger, dataset_id),
        LoopMirror(session, workspace, rules, ledger, dataset_id),
        Registry(session, workspace, ledger, executor),
        RepeatMirror(session, workspace, ledger),
        ProbeMirror(session, workspace, ledger),
        RangeMirror(session, workspace, ledger),
        ExternalMirror(session, workspace),
    )
