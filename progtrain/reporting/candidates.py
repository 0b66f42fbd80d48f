"""What takes part in the leaderboard, read from the workspace's files."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from progtrain.records import EvalScore
from progtrain.reporting.leaderboard import Candidate
from progtrain.step_records import AGREEMENT, AgreementRecord, EvaluateRecord, ExternalRecord, external_name
from progtrain.workspace import Workspace, version_number

_VERSION = re.compile(r"v\d{3,}")


def read_candidates(workspace: Workspace) -> list[Candidate]:
    """Every version with a script or artifacts, oldest first, then every folder of Models/external."""
    folders = workspace.artifacts("v###").parent.glob("v*")
    on_disk = {path.name for path in folders if _VERSION.fullmatch(path.name) and _has_artifacts(path)}
    versions = sorted({*workspace.versions(), *on_disk}, key=version_number)
    return [_version(workspace, version) for version in versions] + [
        _external(workspace, name) for name in workspace.external_names()
    ]


def _has_artifacts(folder: Path) -> bool:
    """Whether there is more than the reports of attempts that failed."""
    return folder.is_dir() and any(path.name != "_tests" for path in folder.iterdir())


def read_score(folder: Path) -> EvalScore | None:
    """A folder's eval_score.json; None where it is missing or does not follow the schema."""
    try:
        return EvalScore.model_validate_json((folder / "eval_score.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _version(workspace: Workspace, version: str) -> Candidate:
    home, path = workspace.artifacts(version), f"../../Artifacts/{version}"
    artifact = f"{path}/best.ckpt" if (home / "best.ckpt").is_file() else path if home.is_dir() else ""
    agreement = workspace.read_record(AgreementRecord, AGREEMENT, version)
    disagreement = "" if agreement is None else agreement.disagreement
    evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
    reasons = {} if evaluated is None else evaluated.reasons
    return Candidate(version, read_score(home), artifact, disagreement=disagreement, reasons=reasons)


def _external(workspace: Workspace, name: str) -> Candidate:
    """By progtrain's own measurement: what a model's folder says of itself does not count."""
    record = workspace.read_record(ExternalRecord, external_name(name))
    score = record.measured.score if record is not None and record.measured is not None else None
    reason = None if record is None else record.reason
    return Candidate(name, score, f"../../external/{name}", external=True, reason=reason)
