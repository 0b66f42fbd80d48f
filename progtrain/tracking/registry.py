"""Every version as a registered model: exported by a job, uploaded, registered, fetched back, and promoted."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.entities.logged_model_status import LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from progtrain.errors import TrackingError, shortened
from progtrain.executors import Executor, Job
from progtrain.step_records import UNREGISTERED, AuthorRecord, UnregisteredRecord
from progtrain.tracking import tags
from progtrain.tracking.card import measured, score_metrics
from progtrain.tracking.ledger import Ledger, ModelForm, RegisteredModel, VersionTracking
from progtrain.tracking.session import Session
from progtrain.tracking.worker import HopelessError
from progtrain.workspace import Workspace

CHAMPION = "champion"
EXPORT_TIME_LIMIT = 600.0
"""Seconds; an export that hangs must not hold back what comes after it."""
_REFUSED = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Registry:
    """Registers versions in the store of one open session."""

    session: Session
    workspace: Workspace
    ledger: Ledger
    executor: Executor

    def push(self, version: str) -> None:
        """Export, upload and register an evaluated version's best checkpoint, unless that is done.

        Raises:
            HopelessError: it cannot be exported.
            TrackingError: its run could not be sent yet.
            MlflowException: the store refuses, or is out of reach.
        """
        state = self.ledger.version(version)
        if state.model is not None or measured(self.workspace, version) is None:
            return
        if state.run_id is None:
            raise TrackingError(
                f"Expected a run for {version} to register its model from, got none yet. It is sent later."
            )
        folder = self.workspace.version_state(version) / f"model-{state.training}"
        logged = self._logged_model(state)
        if logged is None:
            self._export(version, folder)
            logged = self._upload(version, state, folder)
        registered = self._register(version, state, logged)
        self.ledger.change_version(version, state.training, model=registered.model_dump())
        shutil.rmtree(folder, ignore_errors=True)

    def promote(self) -> None:
        """Give the alias `champion` to the version asked for, once its model is registered."""
        loop = self.ledger.loop()
        if loop.promoted is None or loop.promoted == loop.champion:
            return
        state = self.ledger.tracked().get(loop.promoted)
        if state is not None and state.model is not None:
            self.session.client.set_registered_model_alias(state.model.name, CHAMPION, state.model.number)
            self.ledger.change_loop(champion=loop.promoted)

    def fetch(self, version: str, model: RegisteredModel) -> Path:
        """A local copy of the registered model, straight from the store.

        Raises:
            TrackingError: it cannot be fetched.
        """
        folder = self.workspace.version_state(version) / "registered"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            source = self.session.client.get_model_version_download_uri(model.name, model.number)
            return Path(download_artifacts(source, dst_path=str(folder), tracking_uri=self.session.uri))
        except (MlflowException, OSError) as error:
            raise TrackingError(
                f"Expected {version}'s model at {model.uri} in {self.session.uri}, got: {error}. "
                "Make the report again when the store can be reached."
            ) from error

    def _export(self, version: str, folder: Path) -> None:
        if folder.is_dir():
            return
        log = self.workspace.log(version, "save_model")
        arguments = ("-m", "progtrain.tracking.save_model", version, str(folder))
        outcome = self.executor.run(Job(arguments, self.workspace.root, log, EXPORT_TIME_LIMIT))
        if not outcome.succeeded:
            reason = _last_line(log)
            self.workspace.write_record(UnregisteredRecord(reason=reason), UNREGISTERED, version)
            raise HopelessError(
                f"{version}'s model could not be exported, so it is not registered: {reason} The log is {log}."
            )
        self.workspace.record_path(UNREGISTERED, version).unlink(missing_ok=True)

    def _logged_model(self, state: VersionTracking) -> LoggedModel | None:
        """One that was uploaded whole for this training; remains of an upload cut short are removed."""
        client = self.session.client
        found = client.search_logged_models([self.session.experiment_id], f"source_run_id = '{state.run_id}'")
        for model in found:
            if model.status == LoggedModelStatus.READY:
                return model
            client.delete_logged_model(model.model_id)
        return None

    def _upload(self, version: str, state: VersionTracking, folder: Path) -> LoggedModel:
        client = self.session.client
        name = f"{_REFUSED.sub('-', self.workspace.root.name)}-{version}"
        form = _form(folder)
        logged = client.create_logged_model(
            self.session.experiment_id,
            name,
            state.run_id,
            tags={tags.VERSION: version, tags.MODEL_FORM: form},
        )
        description = Model.load(str(folder))
        description.run_id, description.model_id = state.run_id, logged.model_id
        description.save(str(folder / "MLmodel"))
        client.log_model_artifacts(logged.model_id, str(folder))
        client.log_outputs(str(state.run_id), [LoggedModelOutput(logged.model_id, step=0)])
        return client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)

    def _register(self, version: str, state: VersionTracking, logged: LoggedModel) -> RegisteredModel:
        client = self.session.client
        form: ModelForm = "pt2" if logged.tags.get(tags.MODEL_FORM) == "pt2" else "code"
        found = client.search_model_versions(f"run_id = '{state.run_id}'")
        entry = found[0] if found else None
        if entry is None:
            entry = client.create_model_version(
                self._model_name(),
                logged.artifact_location,
                state.run_id,
                tags=self._version_tags(version, form),
                model_id=logged.model_id,
            )
        return RegisteredModel(
            name=entry.name, number=str(entry.version), uri=f"models:/{entry.name}/{entry.version}", form=form
        )

    def _version_tags(self, version: str, form: ModelForm) -> dict[str, str]:
        author = self.workspace.read_record(AuthorRecord, "author", version)
        score = measured(self.workspace, version)
        values = score_metrics(score) if score else {}
        found = {
            tags.VERSION: version,
            tags.MODEL_FORM: form,
            **{name: repr(value) for name, value in values.items()},
        }
        return found if author is None else {**found, tags.ACTION: author.action}

    def _model_name(self) -> str:
        """The workspace's own registered model; another workspace of the same folder name keeps its own."""
        loop = self.ledger.loop()
        if loop.model_name is not None:
            return loop.model_name
        here = str(self.workspace.root)
        base = _REFUSED.sub("-", self.workspace.root.name)
        name = next(
            name for name in (base, f"{base}-{loop.loop[:6]}", f"{base}-{loop.loop}") if self._claim(name, here)
        )
        self.ledger.change_loop(model_name=name)
        return name

    def _claim(self, name: str, here: str) -> bool:
        """Whether the name is this workspace's; made so where nobody has it."""
        client = self.session.client
        try:
            return bool(client.get_registered_model(name).tags.get(tags.WORKSPACE) == here)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                raise
        client.create_registered_model(name, tags={tags.WORKSPACE: here})
        return True


def _form(folder: Path) -> ModelForm:
    return "pt2" if any(folder.rglob("*.pt2")) else "code"


def _last_line(log: Path) -> str:
    """What a job said last."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    return shortened(next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing."))
