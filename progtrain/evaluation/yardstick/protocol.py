"""The yardstick of a workspace: locked before anything is trained, held at every evaluation."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from progtrain.errors import ProtocolChangedError
from progtrain.predictions import Predictions
from progtrain.records import Record
from progtrain.rules import Rules
from progtrain.workspace import Workspace, sha256_of

RECORD = "protocol"
USER_METRICS = "metrics.py"


class MetricDirection(Record):
    """A metric by its name, and whether higher is better."""

    name: str
    higher_is_better: bool


class Protocol(Record):
    """All that two scores must share to be comparable."""

    dataset_id: str
    task_type: str
    seed: int
    primary: str
    metrics: tuple[MetricDirection, ...]
    num_samples: int
    sample_indices: tuple[int, ...]
    """Positions in the validation set that infer_samples shows."""
    validation_sha256: str
    """Over sample ids and targets, in order."""
    eval_script_sha256: str
    user_metrics_sha256: str | None
    """Of the workspace's metrics.py; None where there is none."""
    batch_size: int | None = None
    """In which samples are asked: a loss may depend on it. None where the loader makes its batches itself."""


_MEANING = {
    "dataset_id": "the data set",
    "task_type": "the task stated in 03_eval.py",
    "seed": "`seed` in user_defined_rules.json",
    "primary": "the primary metric in user_defined_rules.json",
    "metrics": "METRICS in 03_eval.py",
    "num_samples": "the number of validation samples",
    "sample_indices": "the choice of infer_samples (`seed` or `infer_samples` in user_defined_rules.json)",
    "validation_sha256": "the validation set (sample ids, targets or their order)",
    "eval_script_sha256": "03_eval.py",
    "user_metrics_sha256": USER_METRICS,
    "batch_size": "the batches in which samples are asked",
}


def sample_indices(seed: int, count: int, wanted: int) -> tuple[int, ...]:
    """The fixed random choice of at most `wanted` of `count` positions, in order."""
    return tuple(sorted(random.Random(seed).sample(range(count), min(wanted, count))))


def protocol_of(
    workspace: Workspace,
    rules: Rules,
    dataset_id: str,
    task_type: str,
    directions: Mapping[str, bool],
    predictions: Predictions,
    batch_size: int | None,
) -> Protocol:
    """The protocol by which these predictions are being measured now."""
    count = len(predictions.sample_ids)
    return Protocol(
        dataset_id=dataset_id,
        task_type=task_type,
        seed=rules.seed,
        primary=rules.eval_config.primary,
        metrics=tuple(MetricDirection(name=name, higher_is_better=up) for name, up in directions.items()),
        num_samples=count,
        sample_indices=sample_indices(rules.seed, count, rules.eval_config.infer_samples),
        validation_sha256=validation_fingerprint(predictions),
        eval_script_sha256=sha256_of(workspace.eval_script.read_text(encoding="utf-8")),
        user_metrics_sha256=_file_sha256(workspace.root / USER_METRICS),
        batch_size=batch_size,
    )


def read_protocol(workspace: Workspace) -> Protocol | None:
    """The locked protocol; None before the first evaluation.

    Raises:
        ProtocolChangedError: it is there but cannot be read, so that nothing can be held against it.
    """
    path = workspace.record_path(RECORD)
    if not path.exists():
        return None
    try:
        return Protocol.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ProtocolChangedError(
            f"Expected the locked evaluation protocol in {path}, got a file that cannot be read: {error}. "
            "Restore it, or begin a new workspace."
        ) from error


def hold_protocol(workspace: Workspace, current: Protocol) -> None:
    """Lock `current` where nothing is locked yet, else see that it is what was locked.

    Raises:
        ProtocolChangedError: something differs; the message names each thing with what was expected and found.
    """
    locked = read_protocol(workspace)
    if locked is None:
        workspace.write_record(current, RECORD)
    else:
        verify(locked, current)


def hold_files(workspace: Workspace, rules: Rules, dataset_id: str) -> None:
    """See that what files alone tell of the protocol is what was locked; nothing is asked of a version for it.

    Raises:
        ProtocolChangedError: something differs.
    """
    locked = read_protocol(workspace)
    if locked is None:
        return
    current = {
        "dataset_id": dataset_id,
        "seed": rules.seed,
        "primary": rules.eval_config.primary,
        "sample_indices": sample_indices(rules.seed, locked.num_samples, rules.eval_config.infer_samples),
        "eval_script_sha256": _file_sha256(workspace.eval_script),
        "user_metrics_sha256": _file_sha256(workspace.root / USER_METRICS),
    }
    verify(locked, locked.model_copy(update=current))


def verify(locked: Protocol, current: Protocol) -> None:
    """See that two protocols are the same.

    Raises:
        ProtocolChangedError: they are not.
    """
    lines = [
        f"  {_MEANING[field]}: expected {_brief(before)}, got {_brief(after)}"
        for field in Protocol.model_fields
        if (before := getattr(locked, field)) != (after := getattr(current, field))
    ]
    if lines:
        raise ProtocolChangedError(
            "The evaluation is not the one that was locked when the loop began:\n"
            + "\n".join(lines)
            + "\nRestore what changed, or begin a new workspace to measure differently."
        )


def _file_sha256(path: Path) -> str | None:
    return sha256_of(path.read_text(encoding="utf-8")) if path.is_file() else None


def validation_fingerprint(predictions: Predictions) -> str:
    """Over sample ids and targets, in order."""
    digest = hashlib.sha256(json.dumps(predictions.sample_ids.tolist()).encode())
    digest.update(f"{predictions.targets.dtype} {predictions.targets.shape}".encode())
    digest.update(predictions.targets.tobytes())
    return digest.hexdigest()


def _brief(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], MetricDirection):
        return ", ".join(f"{metric.name} ({'higher' if metric.higher_is_better else 'lower'})" for metric in value)
    text = "none" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
