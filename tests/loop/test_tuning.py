"""Where nothing but the search of a knob is allowed, the next version is one that Optuna proposed."""

import json
from pathlib import Path

from progtrain.script.settings.knob_values import differing
from progtrain.step_records import AuthorRecord, ChooseRecord, TrainRecord
from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard, write_rules


def test_a_version_with_one_knob_tuned(workspace: Path, progtrain: Run) -> None:
    write_rules(workspace, max_versions=2)
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["constraints"] = {"allow": ["tune_knob"]}
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    opened = Workspace(workspace)
    authored = opened.read_record(AuthorRecord, "author", "v002")
    chosen = opened.read_record(ChooseRecord, "choose", "v001")
    trained = [opened.read_record(TrainRecord, "train", version) for version in ("v001", "v002")]
    assert authored is not None
    assert authored.action == "tune_knob"
    assert authored.touches == ("lr",)
    assert f"LEARNING_RATE = {authored.parameters['value']}" in opened.read_script("v002")
    assert chosen is not None
    assert chosen.selected is not None
    assert chosen.selected.answers == "nothing-asks"
    before, after = (record.snapshot for record in trained if record is not None)
    assert differing(before, after) == {"lr"}
    assert {row["version_id"] for row in leaderboard(workspace)} == {"v001", "v002"}
    hold_against_written_rules(workspace)
