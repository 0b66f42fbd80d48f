"""The names of the tags that progtrain writes and finds its runs by."""

from __future__ import annotations

import os
import socket
from typing import Final

from progtrain.errors import shortened
from progtrain.workspace import Workspace

KIND: Final = "progtrain.kind"
"""`loop`, `version`, `repeat` (of a version, with another seed), `probe` (of a change to it, trained briefly, or a few
steps at growing rates), `external` (a model from elsewhere), or `attempt` for a training that no longer counts."""
LOOP: Final = "progtrain.loop"
TRAINING: Final = "progtrain.training"
VERSION: Final = "progtrain.version"
ACTION: Final = "progtrain.action"
FINDING: Final = "progtrain.finding"
"""Which finding the action answers."""
TASK: Final = "progtrain.task"
VERDICT: Final = "progtrain.verdict"
AGREEMENT: Final = "progtrain.agreement"
"""Whether the evaluation measures what the script logs: `agrees`, else both figures, or why it is not known."""
PARENT_VERSION: Final = "progtrain.parent_version"
REPEAT: Final = "progtrain.repeat"
"""Which training of another seed it is, and of which training."""
PROBE: Final = "progtrain.probe"
"""Which probe it is, and of which training."""
EXTERNAL: Final = "progtrain.external"
"""Which model from elsewhere it is, and of which loop."""
FINGERPRINT: Final = "progtrain.fingerprint"
"""Of the measurement that a run of kind `external` shows."""
FAILURE: Final = "progtrain.failure"
CONTINUES: Final = "progtrain.continues"
MODEL_FORM: Final = "progtrain.model_form"
WORKSPACE: Final = "progtrain.workspace"
HOST: Final = "progtrain.host"
PID: Final = "progtrain.pid"
PARENT_RUN: Final = "mlflow.parentRunId"
NOTE: Final = "mlflow.note.content"

MAX_LENGTH: Final = 7900
"""Characters of a tag's value, and what `shortened` says of the rest; MLflow stores 8,000."""


def owner(workspace: Workspace) -> dict[str, str]:
    """Tags that say which process on which machine writes, and for which workspace."""
    return {WORKSPACE: str(workspace.root), HOST: socket.gethostname(), PID: str(os.getpid())}


def cut(text: str) -> str:
    """`text` at a length that MLflow takes."""
    return shortened(text, MAX_LENGTH)
