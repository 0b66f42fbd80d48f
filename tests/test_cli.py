"""The command line: light to start, and true to its documentation."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from progtrain.cli import cli

PROJECT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "lightning", "mlflow", "pandas", "numpy", "libcst", "matplotlib")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    probe = (
        "import sys, contextlib\n"
        "from progtrain.cli import main\n"
        f"sys.argv = ['progtrain', *{arguments!r}]\n"
        "with contextlib.suppress(SystemExit): main()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_every_verb_of_the_documentation_is_there() -> None:
    steps = {"train", "evaluate", "analyze", "choose", "author", "report"}
    verbs = steps | {"new", "run", "status", "inspect", "ui", "diff", "actions", "repairs", "apply", "memory"}
    assert verbs == set(cli.commands)


@pytest.mark.parametrize("catalogue", ["actions", "repairs"])
def test_a_catalogues_page_is_what_the_command_prints(catalogue: str) -> None:
    printed = CliRunner().invoke(cli, [catalogue]).output
    page = PROJECT / "docs" / f"{catalogue}.md"
    assert page.read_text() == printed, f"write it anew: progtrain {catalogue} > docs/{catalogue}.md"


def test_a_folder_that_is_none_is_one_message(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "progtrain", "status", str(tmp_path / "nowhere")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("progtrain: Expected a workspace folder")


@pytest.mark.parametrize("arguments", [["status"], ["inspect"], ["actions", "-w"]])
def test_a_folder_without_a_script_is_told_what_belongs_there(arguments: list[str], tmp_path: Path) -> None:
    ended = CliRunner().invoke(cli, [*arguments, str(tmp_path)])
    assert ended.exit_code == 2
    assert "02_train_baseline.py" in ended.stderr


def test_versions_may_be_named_by_their_numbers(tmp_path: Path) -> None:
    for version, rate in (("v002", 1), ("v003", 2)):
        (tmp_path / f"02_train_{version}.py").write_text(f"RATE = {rate}\n")
    ended = CliRunner().invoke(cli, ["diff", "2", "v003", "-w", str(tmp_path)])
    assert ended.output == "--- v002\n+++ v003\n@@ -1 +1 @@\n-RATE = 1\n+RATE = 2\n"
