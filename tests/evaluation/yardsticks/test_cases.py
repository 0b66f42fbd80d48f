"""Small workspaces in shapes that people write, run by the judge that lies beside the project, where it is at hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.loop.conftest import PROJECT, environment

SHARED = PROJECT.parent / "shared"
JUDGE = SHARED / "tools" / "run_cases.py"
CASES = sorted(path.parent.name for path in (SHARED / "cases").glob("*/expect.json"))


@pytest.mark.skipif(not (JUDGE.is_file() and CASES), reason="the cases are not at hand")
@pytest.mark.parametrize("case", CASES or ["none"])
def test_a_case_has_its_figures_or_is_refused(case: str, tmp_path: Path) -> None:
    progtrain = Path(sys.executable).parent / "progtrain"
    command = [sys.executable, str(JUDGE), str(progtrain), str(tmp_path), case]
    judged = subprocess.run(command, env=environment(OMP_NUM_THREADS="1"), capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
