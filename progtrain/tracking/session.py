"""An open store: the experiment of a workspace, and the run that all its versions hang from."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from progtrain.tracking import tags
from progtrain.tracking.database import make_database
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.store import Store
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """A client, and the ids that every call names explicitly: no global state of MLflow's is used."""

    client: MlflowClient
    uri: str
    experiment_id: str
    parent_run_id: str


def open_session(store: Store, workspace: Workspace, ledger: Ledger) -> Session:
    """Find or make the experiment and the parent run, and close what dead processes left running.

    The parent is the one on record; else the run that `mlflow run` opened; else a new one.
    """
    make_database(store.uri, workspace)
    client = MlflowClient(store.uri)
    record = ledger.loop()
    recorded = active_run(client, record.parent_run_id) if record.store == store.uri else None
    handed_over = active_run(client, store.run_id)
    parent = recorded or handed_over or _new_parent(client, store, workspace, record.loop)
    parent_id, experiment_id = parent.info.run_id, parent.info.experiment_id
    if recorded is None:
        ledger.change_loop(
            store=store.uri,
            experiment_id=experiment_id,
            parent_run_id=parent_id,
            model_name=None,
            champion=None,
            files={},
        )
    elif handed_over is not None and handed_over.info.run_id != parent_id:
        client.set_tag(handed_over.info.run_id, tags.CONTINUES, parent_id)
        client.set_tag(handed_over.info.run_id, tags.NOTE, f"Continues the loop of run {parent_id}.")
    client.update_run(parent_id, status="RUNNING")
    for name, value in {tags.KIND: "loop", tags.LOOP: record.loop, **tags.owner(workspace)}.items():
        client.set_tag(parent_id, name, value)
    session = Session(client, store.uri, experiment_id, parent_id)
    _close_orphans(session, workspace, ledger)
    return session


def active_run(client: MlflowClient, run_id: str | None) -> Run | None:
    """The run, or None where it is not there or was deleted."""
    if run_id is None:
        return None
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    return run if run.info.lifecycle_stage == LifecycleStage.ACTIVE else None


def find_run(client: MlflowClient, experiment_id: str, tag: str, value: str) -> Run | None:
    """The newest run with that tag: how a run is found again whose id never reached us."""
    runs = client.search_runs([experiment_id], f"tags.`{tag}` = '{value}'", max_results=1)
    return runs[0] if runs else None


def _new_parent(client: MlflowClient, store: Store, workspace: Workspace, loop: str) -> Run:
    experiment_id = store.experiment_id or _experiment(client, store, workspace, loop)
    found = find_run(client, experiment_id, tags.LOOP, loop)
    return found or client.create_run(
        experiment_id,
        run_name=workspace.root.name,
        tags={tags.KIND: "loop", tags.LOOP: loop, **tags.owner(workspace)},
    )


def _experiment(client: MlflowClient, store: Store, workspace: Workspace, loop: str) -> str:
    """The workspace's own experiment; another workspace of the same folder name keeps its own."""
    here = str(workspace.root)
    for name in (workspace.root.name, f"{workspace.root.name}-{loop[:6]}"):
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return client.create_experiment(name, store.artifact_location, tags={tags.WORKSPACE: here})
        if experiment.tags.get(tags.WORKSPACE) == here and experiment.lifecycle_stage == LifecycleStage.ACTIVE:
            return str(experiment.experiment_id)
    return client.create_experiment(f"{workspace.root.name}-{loop}", store.artifact_location, {tags.WORKSPACE: here})


def _close_orphans(session: Session, workspace: Workspace, ledger: Ledger) -> None:
    """Runs of this workspace that a dead process left RUNNING and that no record speaks of any more."""
    known = {state.training for state in ledger.tracked().values()}
    running = session.client.search_runs(
        [session.experiment_id], f"attributes.status = 'RUNNING' and tags.`{tags.HOST}` = '{socket.gethostname()}'"
    )
    for run in running:
        found = run.data.tags
        ours = found.get(tags.WORKSPACE) == str(workspace.root) and run.info.run_id != session.parent_run_id
        if ours and found.get(tags.TRAINING) not in known and not _is_alive(int(found[tags.PID])):
            session.client.set_terminated(run.info.run_id, "KILLED")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
