"""The user's rules: what is read, what is refused and how it is said, and the page that explains them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import JsonValue

from progtrain.errors import RulesError
from progtrain.knobs import FAMILY, canonical, nearest, spellings
from progtrain.rules import (
    INSTRUCTION_FILE,
    RULES_FILE,
    Constraints,
    DatasetConfig,
    EvalConfig,
    LoopConfig,
    Rules,
    held_by,
    read_rules,
)

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
SECTIONS = {
    "loop_config": LoopConfig,
    "dataset_config": DatasetConfig,
    "eval_config": EvalConfig,
    "constraints": Constraints,
}


def read(folder: Path, raw: JsonValue) -> Rules:
    (folder / RULES_FILE).write_text(json.dumps(raw), encoding="utf-8")
    return read_rules(folder)


def keys_of_rules() -> set[str]:
    inner = {f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields}
    return inner | {"seed", "strict_instructions", "training_config"}


class TestReading:
    def test_no_file_means_no_constraint(self, tmp_path: Path) -> None:
        assert read_rules(tmp_path) == Rules()

    def test_the_written_rules_own_example(self, tmp_path: Path) -> None:
        rules = read(
            tmp_path,
            {
                "seed": 42,
                "loop_config": {"max_versions": 10},
                "dataset_config": {"dataset_id": "v1"},
                "training_config": {"epochs": 3, "batch_size": 32},
                "eval_config": {"primary_metric": "loss", "metrics": ["wer"], "infer_samples": 10},
            },
        )
        assert rules.locks == {"seed": 42, "epochs": 3, "batch_size": 32}
        assert rules.eval_config.primary == "loss"

    def test_every_spelling_locks_the_same_knob(self, tmp_path: Path) -> None:
        rules = read(tmp_path, {"training_config": {"max_epochs": 3, "Learning-Rate": 0.1, "grad_clip": 1}})
        assert rules.locks == {"seed": 42, "epochs": 3, "lr": 0.1, "gradient_clip": 1}

    def test_a_metric_with_its_direction(self, tmp_path: Path) -> None:
        rules = read(tmp_path, {"eval_config": {"metrics": [{"name": "gap", "higher_is_better": False}, "loss"]}})
        assert [rule.name for rule in rules.eval_config.metric_rules] == ["gap", "loss"]
        assert rules.eval_config.primary == "gap"

    def test_what_no_machine_holds_is_warned_of(self, tmp_path: Path) -> None:
        (tmp_path / INSTRUCTION_FILE).write_text("# Limits\n\n- Be kind to the GPU.\n", encoding="utf-8")
        rules = read(tmp_path, {"deploy_config": {}, "training_config": {"epoch": 3}})
        assert [
            word in warning
            for word, warning in zip(("deploy_config", "epochs", "Be kind to the GPU"), rules.warnings, strict=True)
        ] == [True, True, True]

    def test_a_byte_order_mark_says_nothing(self, tmp_path: Path) -> None:
        (tmp_path / RULES_FILE).write_bytes(b'\xef\xbb\xbf{"seed": 7}')
        (tmp_path / INSTRUCTION_FILE).write_bytes(b"\xef\xbb\xbf# Limits\nkeep the batch size\n")
        rules = read_rules(tmp_path)
        assert rules.seed == 7
        assert rules.instructions == ("keep the batch size",)

    def test_a_whole_number_is_one_however_it_is_written(self, tmp_path: Path) -> None:
        rules = read(tmp_path, {"loop_config": {"max_versions": 3.0}, "training_config": {"epochs": 3.0, "lr": 1.0}})
        given = (rules.loop_config.max_versions, *rules.training_config.values())
        assert [(value, type(value)) for value in given] == [(3, int), (3, int), (1.0, float)]


class TestLocks:
    def test_each_names_the_rule_that_holds_it_the_highest_where_several(self, tmp_path: Path) -> None:
        (tmp_path / INSTRUCTION_FILE).write_text("- Keep the architecture\n- use Adam\n", encoding="utf-8")
        rules = read(tmp_path, {"training_config": {"max_epochs": 3}, "constraints": {"lock": ["capacity", "bs"]}})
        assert rules.lock_reasons == {
            "epochs": "training_config.max_epochs",
            "batch_size": "constraints.lock: bs",
            "seed": "one seed for all versions",
            "optimizer": "user_instruction.md: use Adam",
            **dict.fromkeys(("width", "layers", "computation"), "constraints.lock: capacity"),
            **dict.fromkeys(("dropout", "activation", "normalization"), "user_instruction.md: Keep the architecture"),
        }
        assert rules.locks["epochs"] == 3
        assert rules.locks["optimizer"] == "Adam"
        assert rules.locks["width"] is None

    def test_refusals_group_knobs_by_rule(self, tmp_path: Path) -> None:
        reasons = read(tmp_path, {"training_config": {"lr": 1}, "constraints": {"lock": ["capacity"]}}).lock_reasons
        said = "layers, width (constraints.lock: capacity); lr (training_config.lr)"
        assert held_by(["width", "lr", "layers", "loss"], reasons) == said
        assert held_by(["loss"], reasons) == ""

    @pytest.mark.parametrize(
        ("constraints", "action", "rule"),
        [
            ({}, "gelu", None),
            ({"forbid": ["gelu"]}, "gelu", "constraints.forbid names it"),
            ({"forbid": ["gelu"]}, "silu", None),
            ({"allow": ["gelu"]}, "gelu", None),
            ({"allow": ["gelu"]}, "take_back", "constraints.allow does not name it"),
            ({"allow": ["gelu"], "forbid": ["gelu"]}, "gelu", "constraints.forbid names it"),
        ],
    )
    def test_actions(self, constraints: dict[str, list[str]], action: str, rule: str | None) -> None:
        assert Constraints.model_validate(constraints).forbids(action) == rule

    def test_words_outranked_by_training_config_are_warned_of(self, tmp_path: Path) -> None:
        (tmp_path / INSTRUCTION_FILE).write_text("use AdamW\ntrain for 3 epochs\n", encoding="utf-8")
        rules = read(tmp_path, {"training_config": {"optimizer": "SGD", "epochs": 3}})
        assert {setting.knob: setting.value for setting in rules.settings} == {"optimizer": "SGD", "epochs": 3}
        assert len(rules.warnings) == 1
        assert "use AdamW (training_config.optimizer outranks it)" in rules.warnings[0]

    def test_strict_instructions(self, tmp_path: Path) -> None:
        (tmp_path / INSTRUCTION_FILE).write_text("keep the loss\nfeel free to change the optimizer\n")
        assert read(tmp_path, {"strict_instructions": True}).strict_instructions
        (tmp_path / INSTRUCTION_FILE).write_text("keep the loss and be nice\n")
        with pytest.raises(RulesError, match="be nice"):
            read_rules(tmp_path)


class TestRefusals:
    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            ([], "expected a JSON object, got list"),
            ({"loop_config": {"max_version": 3}}, r"loop_config.max_version: no such key; did you mean 'max_versions'"),
            ({"loop_config": {"max_versions": 0}}, r"loop_config.max_versions: .*got 0"),
            ({"loop_config": {"isolation": "docker"}}, "loop_config.isolation"),
            ({"eval_config": {"infer_samples": -1}}, "eval_config.infer_samples"),
            ({"dataset_config": {"id": "v1"}}, "dataset_config.id: no such key"),
            ({"seed": "forty-two"}, "seed"),
            ({"training_config": {"epochs": 3, "max_epochs": 4}}, "both fix 'epochs'"),
            ({"constraints": {"locks": []}}, "constraints.locks: no such key; did you mean 'lock'"),
            ({"constraints": {"lock": ["learning_rat"]}}, "no knob and no family of knobs; perhaps 'learning_rate'"),
            ({"constraints": {"lock": ["zzz"]}}, "families are activation, batch"),
            ({"constraints": {"max_parameters": 0}}, "constraints.max_parameters"),
            ({"constraints": {"max_latency_ms": -1}}, "constraints.max_latency_ms"),
            ({"seed": 1, "training_config": {"seed": 2}}, "seed is 1 and training_config.seed is 2"),
        ],
    )
    def test_what_has_no_meaning(self, tmp_path: Path, raw: JsonValue, message: str) -> None:
        with pytest.raises(RulesError, match=message):
            read(tmp_path, raw)

    def test_broken_json_names_the_place(self, tmp_path: Path) -> None:
        (tmp_path / RULES_FILE).write_text('{\n  "seed": 42,\n}', encoding="utf-8")
        with pytest.raises(RulesError, match="line 3"):
            read_rules(tmp_path)

    def test_not_utf8(self, tmp_path: Path) -> None:
        (tmp_path / RULES_FILE).write_bytes(b'{"seed": "\xff"}')
        with pytest.raises(RulesError, match="UTF-8"):
            read_rules(tmp_path)

    def test_two_spellings_at_one_value_are_one(self, tmp_path: Path) -> None:
        assert read(tmp_path, {"training_config": {"epochs": 3, "max_epochs": 3}}).locks["epochs"] == 3


class TestSpellings:
    @pytest.mark.parametrize("knob", FAMILY)
    def test_every_spelling_leads_to_its_knob(self, knob: str) -> None:
        assert {canonical(spelling) for spelling in spellings(knob)} == {knob}

    @pytest.mark.parametrize(("wrong", "near"), [("epoch", "epochs"), ("learningrate", "learning_rate"), ("zzz", None)])
    def test_the_nearest_is_offered(self, wrong: str, near: str | None) -> None:
        assert canonical(wrong) is None
        assert nearest(wrong) == near


class TestTheProjectsOwnFiles:
    def test_the_file_at_the_root_has_every_key(self) -> None:
        read_rules(ROOT)
        raw = json.loads((ROOT / RULES_FILE).read_text(encoding="utf-8"))
        inner = {f"{section}.{key}" for section in SECTIONS for key in raw[section]}
        assert inner | (set(raw) - set(SECTIONS)) == keys_of_rules()

    def test_the_page_explains_every_key_and_no_other(self) -> None:
        keys = PAGE.partition("## Every key")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `([\w.]+)` \|", keys, flags=re.M)) == keys_of_rules()

    def test_the_pages_table_of_spellings_is_the_code(self) -> None:
        table = PAGE.partition("## Spellings")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", table, flags=re.M)
        written = {knob: (family, tuple(re.findall(r"`(\w+)`", others))) for knob, family, others in rows}
        assert written == {knob: (family, spellings(knob)[1:]) for knob, family in FAMILY.items()}
