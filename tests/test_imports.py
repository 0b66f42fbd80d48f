"""What starts fast stays free of the heavy packages, lazy imports and all; import-linter sees the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "lightning", "pytorch_lightning", "torchmetrics", "mlflow", "matplotlib", "pandas")
PROGRAM = "import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"


@pytest.mark.parametrize(
    "module",
    [
        "progtrain.cli",
        "progtrain.status",
        "progtrain.actions",
        "progtrain.script.auditing.audit",
        "progtrain.diagnosis",
    ],
)
def test_nothing_heavy_is_imported(module: str) -> None:
    program = PROGRAM.format(module=module, heavy=set(HEAVY))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
