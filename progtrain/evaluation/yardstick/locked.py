"""The locked yardstick for measurements other than a version's: the functions of 03_eval.py, seen to be unchanged."""

from __future__ import annotations

import runpy
from typing import Any, Final

from progtrain.errors import EvaluationError, ProtocolChangedError
from progtrain.evaluation.yardstick.batches import by_convention
from progtrain.evaluation.yardstick.protocol import USER_METRICS, Protocol, read_protocol, validation_fingerprint
from progtrain.evaluation.yardstick.stated import Yardstick
from progtrain.predictions import FILE_NAME, Predictions, read_predictions
from progtrain.tasks import task_of
from progtrain.workspace import Workspace, sha256_of

FIRST: Final = "v001"


def locked_protocol(workspace: Workspace) -> Protocol:
    """The protocol that the versions were measured by, its scripts seen to be as they were.

    Raises:
        EvaluationError: nothing has been measured yet.
        ProtocolChangedError: 03_eval.py or metrics.py is not what was locked.
    """
    protocol = read_protocol(workspace)
    if protocol is None:
        raise EvaluationError(
            f"Expected a version measured in {workspace.root}, got none. `progtrain run` measures one."
        )
    held = {
        workspace.eval_script: protocol.eval_script_sha256,
        workspace.root / USER_METRICS: protocol.user_metrics_sha256,
    }
    for path, locked in held.items():
        found = sha256_of(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found != locked:
            raise ProtocolChangedError(
                f"Expected {path.name} as the first version was measured by, got another. Restore it."
            )
    return protocol


def locked_yardstick(workspace: Workspace, protocol: Protocol) -> Yardstick:
    """What 03_eval.py states, from the script itself; the working directory is the workspace or a view of it."""
    stated: dict[str, Any] = runpy.run_path(str(workspace.eval_script))
    return Yardstick(
        task=task_of(protocol.task_type),
        directions={metric.name: metric.higher_is_better for metric in protocol.metrics},
        predict=stated["predict"],
        loss=stated["loss"],
        split=stated.get("split", by_convention),
        outputs=stated.get("outputs"),
        logged=stated.get("LOGGED", {}),
    )


def locked_answers(workspace: Workspace, protocol: Protocol) -> Predictions:
    """The first version's predictions, which hold the locked sample ids and targets in their order.

    Raises:
        EvaluationError: they are not there.
        ProtocolChangedError: they are not what was locked.
    """
    path = workspace.artifacts(FIRST) / FILE_NAME
    if not path.is_file():
        raise EvaluationError(f"Expected the validation targets in {path}, got none. `progtrain evaluate {FIRST}`.")
    predictions = read_predictions(path)
    if validation_fingerprint(predictions) != protocol.validation_sha256:
        raise ProtocolChangedError(
            f"Expected the locked sample ids and targets in {path}, got others. Evaluate {FIRST} again with 03_eval.py."
        )
    return predictions
