import os
from pathlib import Path

import pytest

from progtrain.script.capturing.sandbox import scratch_view
from progtrain.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name in ("dataset/prepdata/d1/stats.json", "mypackage/part.py", "rules.json", "local.py", "02_train_v001.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("real")
    for version in ("baseline", "v001", "v002"):
        folder = tmp_path / "Models" / "Artifacts" / version
        folder.mkdir(parents=True)
        (folder / "best.ckpt").write_text("weights")
    return Workspace(tmp_path)


def test_the_folder_looks_like_the_workspace(workspace: Workspace) -> None:
    with scratch_view(workspace, "v002", "print()\r\n") as folder:
        assert (folder / "02_train_v002.py").read_bytes() == b"print()\r\n"
        assert (folder / "02_train_v001.py").read_text() == "real"
        assert (folder / "dataset/prepdata/d1/stats.json").read_text() == "real"
        assert (folder / "mypackage/part.py").is_file()
        assert (folder / "Models/Artifacts/v001/best.ckpt").read_text() == "weights"
        assert list((folder / "Models/Artifacts/v002").iterdir()) == []
    assert not folder.exists()


def test_what_a_script_does_to_its_own_folder_stays_in_scratch(workspace: Workspace) -> None:
    with scratch_view(workspace, "v001", "new source") as folder:
        own = folder / "Models/Artifacts/v001"
        own.rmdir()
        own.mkdir()
        (own / "spec.json").write_text("{}")
        (folder / "rules.json").write_text("changed")
        (folder / "Models/Artifacts/v009").mkdir()
    assert [path.name for path in workspace.artifacts("v001").iterdir()] == ["best.ckpt"]
    assert (workspace.root / "rules.json").read_text() == "real"
    assert workspace.script("v001").read_text() == "real"
    assert not (workspace.root / "Models/Artifacts/v009").exists()


def test_a_baseline_with_a_capital_letter_is_the_baseline(workspace: Workspace) -> None:
    workspace.artifacts("baseline").rename(workspace.root / "Models/Artifacts/Baseline")
    with scratch_view(workspace, "baseline", "") as folder:
        assert sorted(path.name for path in (folder / "Models/Artifacts").iterdir()) == ["Baseline", "v001", "v002"]
        assert list((folder / "Models/Artifacts/Baseline").iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_a_living_ones_is_kept(workspace: Workspace) -> None:
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    scratch = workspace.state / "scratch"
    (scratch / f"{dead}-x").mkdir(parents=True)
    (scratch / f"{os.getppid()}-x").mkdir()
    with scratch_view(workspace, "v001", ""):
        assert not (scratch / f"{dead}-x").exists()
        assert (scratch / f"{os.getppid()}-x").exists()


def test_two_views_at_once_do_not_meet(workspace: Workspace) -> None:
    with scratch_view(workspace, "v001", "a") as first, scratch_view(workspace, "v001", "b") as second:
        assert first != second
        assert (first / "02_train_v001.py").read_text() == "a"
