"""The workspace: its paths, its records, and the lock between real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from progtrain.errors import WorkspaceBusyError, WorkspaceError
from progtrain.step_records import AuthorRecord, StepRecord
from progtrain.workspace import Workspace, now, sha256_of, version_id, version_number, write_atomic

HOLD = """
import sys
from progtrain.workspace import Workspace
with Workspace(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "dataset" / "prepdata" / "v1").mkdir(parents=True)
    return Workspace(tmp_path)


def author_record(version: str = "v001") -> AuthorRecord:
    return AuthorRecord(
        version=version,
        parent=None,
        parent_sha256=None,
        action="baseline",
        parameters={},
        touches=(),
        script_sha256="0",
        created_at=now(),
    )


def hold_lock(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate()


class TestVersions:
    @pytest.mark.parametrize(("number", "version"), [(1, "v001"), (12, "v012"), (999, "v999")])
    def test_a_number_and_its_id(self, number: int, version: str) -> None:
        assert version_id(number) == version
        assert version_number(version) == number

    def test_scripts_on_disk_in_numerical_order(self, workspace: Workspace) -> None:
        for name in ("v010", "v002", "baseline", "v1", "vfinal"):
            workspace.script(name).touch()
        assert workspace.versions() == ("v002", "v010")


class TestPaths:
    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(WorkspaceError, match=r"Expected a workspace folder at .*progtrain new"):
            Workspace(tmp_path / "nowhere")

    def test_prepdata_that_is_there(self, workspace: Workspace) -> None:
        assert workspace.prepdata("v1") == workspace.root / "dataset" / "prepdata" / "v1"

    def test_prepdata_that_is_not_there_names_those_that_are(self, workspace: Workspace) -> None:
        with pytest.raises(WorkspaceError, match=r"No prepared data set 'v2'.*\['v1'\]"):
            workspace.prepdata("v2")

    @pytest.mark.parametrize("dataset_id", ["..", "../..", "/etc", "v1/../../..", "", ".", "a b", "v1\n", "~root"])
    def test_ids_that_would_leave_prepdata_are_refused(self, workspace: Workspace, dataset_id: str) -> None:
        with pytest.raises(WorkspaceError, match="one folder's name"):
            workspace.prepdata(dataset_id)

    def test_baseline_artifacts_in_lower_case_by_default(self, workspace: Workspace) -> None:
        assert workspace.artifacts("baseline").name == "baseline"

    def test_a_builders_capital_baseline_is_read_where_it_stands(self, workspace: Workspace) -> None:
        capital = workspace.root / "Models" / "Artifacts" / "Baseline"
        capital.mkdir(parents=True)
        assert workspace.artifacts("baseline") == capital
        assert workspace.artifacts("v001").name == "v001"

    def test_lower_case_wins_where_both_are_there(self, workspace: Workspace) -> None:
        for name in ("Baseline", "baseline"):
            (workspace.root / "Models" / "Artifacts" / name).mkdir(parents=True)
        assert workspace.artifacts("baseline").name == "baseline"


class TestRecords:
    def test_written_and_read(self, workspace: Workspace) -> None:
        record = author_record()
        workspace.write_record(record, "author", "v001")
        assert workspace.read_record(AuthorRecord, "author", "v001") == record

    @pytest.mark.parametrize("text", ["", "{", '{"version": "v001"}', "[]"])
    def test_what_is_not_whole_counts_as_missing(self, workspace: Workspace, text: str) -> None:
        write_atomic(workspace.record_path("author", "v001"), text)
        assert workspace.read_record(AuthorRecord, "author", "v001") is None

    def test_forgotten(self, workspace: Workspace) -> None:
        workspace.write_record(author_record(), "author", "v001")
        workspace.forget("author", "v001")
        workspace.forget("author", "v001")
        assert workspace.read_record(AuthorRecord, "author", "v001") is None

    def test_a_step_is_whole_while_its_script_and_outputs_are(self, workspace: Workspace) -> None:
        script, output = workspace.script("v001"), workspace.root / "out.txt"
        script.write_text("a = 1\n")
        output.write_text("content")
        record = StepRecord(
            started_at=now(), finished_at=now(), script_sha256=sha256_of("a = 1\n"), outputs=("out.txt",)
        )
        assert workspace.is_whole(record, "v001")
        assert not workspace.is_whole(None, "v001")
        output.write_text("")
        assert not workspace.is_whole(record, "v001")
        output.write_text("content")
        script.write_text("a = 2\n")
        assert not workspace.is_whole(record, "v001")


class TestAtomicWrite:
    def test_the_old_text_survives_a_failed_write(self, tmp_path: Path) -> None:
        path = tmp_path / "record.json"
        write_atomic(path, "old")
        with pytest.raises(UnicodeEncodeError):
            write_atomic(path, "new \ud800")
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["record.json"]

    def test_new_lines_are_kept_as_they_are(self, tmp_path: Path) -> None:
        write_atomic(tmp_path / "script.py", "a\r\nb\n")
        assert (tmp_path / "script.py").read_bytes() == b"a\r\nb\n"

    def test_killed_while_writing_the_file_is_old_or_new_but_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "record.json"
        program = (
            "import sys; from pathlib import Path; from progtrain.workspace import write_atomic\n"
            "for n in range(10**9):\n"
            "    write_atomic(Path(sys.argv[1]), str(n % 10) * 100_000)\n"
            "    if n == 3: print('writing', flush=True)\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        end(process, signal.SIGKILL)
        text = path.read_text()
        assert len(text) == 100_000
        assert len(set(text)) == 1


class TestLock:
    def test_a_second_process_is_refused_and_told_who_holds_it(self, workspace: Workspace) -> None:
        holder = hold_lock(workspace.root)
        with pytest.raises(WorkspaceBusyError, match=f"process {holder.pid} on "), workspace.lock():
            pytest.fail("two hold the lock")
        end(holder, signal.SIGTERM)

    def test_a_killed_holder_holds_nothing(self, workspace: Workspace) -> None:
        end(hold_lock(workspace.root), signal.SIGKILL)
        with workspace.lock():
            holder = json.loads((workspace.state / "lock.json").read_text())
        assert holder["pid"] == os.getpid()

    def test_free_again_afterwards(self, workspace: Workspace) -> None:
        for _ in range(2):
            with workspace.lock():
                assert (workspace.state / "lock.json").is_file()
        end(hold_lock(workspace.root), signal.SIGTERM)
