"""The audit of a baseline: what it finds, how little it changes, and that it finds nothing the second time."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

import pytest

from progtrain.records import CheckpointSettings, LoaderSettings, LoggerSettings, OptimizerSettings, Snapshot
from progtrain.rules import Rules
from progtrain.script.auditing.audit import (
    AuditFacts,
    audit,
    contradictions,
    hold_settings,
    render_patch_report,
    smoke_test_batch_size,
)
from progtrain.script.auditing.settings import Held, locks_on, wishes

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
HOME = "/tmp/scratch/Models/Artifacts/baseline"
BEST = CheckpointSettings(dirpath=HOME, filename="best", monitor="val_loss", mode="min", save_last=False)
LAST = CheckpointSettings(dirpath=HOME, filename="last", monitor=None, mode="min", save_last=False, keeps_end=True)
#: Of a Trainer that was given none.
DEFAULT = CheckpointSettings(dirpath=None, filename=None, monitor=None, mode="min", save_last=False)
GOOD_LOGGER = LoggerSettings(type="CSVLogger", log_dir=f"{HOME}/logs/version_0")

GOOD = '''"""A baseline."""

import json
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

DATASET_ID = "v1"
VERSION = "baseline"
DATA = Path("dataset/prepdata") / DATASET_ID
HOME = Path(f"Models/Artifacts/{VERSION}")

model.save_hyperparameters()
trainer = L.Trainer(
    max_epochs=20,
    logger=CSVLogger(HOME, name="logs"),
    callbacks=[ModelCheckpoint(HOME, "best", monitor="val_loss"), ModelCheckpoint(HOME, "last")],  # keep
)
trainer.fit(model, DataLoader(read(DATA / "train"), batch_size=32), DataLoader(read(DATA / "valid")))
(HOME / "spec.json").write_text(json.dumps({"additional_assets": "not_required"}))
'''


def snapshot(
    checkpoints: tuple[CheckpointSettings, ...] = (BEST, LAST), logger: LoggerSettings | None = GOOD_LOGGER
) -> Snapshot:
    return Snapshot(
        optimizers=(OptimizerSettings(type="Adam", groups=({"lr": 0.001},)),),
        schedulers=(),
        max_epochs=20,
        max_steps=-1,
        gradient_clip_val=None,
        gradient_clip_algorithm=None,
        accumulate_grad_batches=1,
        precision="32-true",
        seed=42,
        train=LoaderSettings(
            size=100, batch_size=32, shuffle=True, sampler="RandomSampler", workers=0, fingerprint="f"
        ),
        valid=None,
        callbacks=(),
        checkpoints=checkpoints,
        loggers=(logger,) if logger else (),
        layers=(),
        calls=(),
        parameters=1,
        first_loss=1.0,
        batch=None,
    )


def facts(batch_size: int | None = None, **training_config: float | str) -> AuditFacts:
    return AuditFacts("v1", "baseline", batch_size, Rules(training_config=dict(training_config)))


def changed_lines(before: str, after: str) -> list[str]:
    """The lines taken out and put in, with their sign."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def patched(before: str, live: Snapshot | None = None, known: AuditFacts | None = None) -> str:
    after = audit(before, live or snapshot(), known or facts()).source
    ast.parse(after)
    return after


class TestNothingToDo:
    def test_a_good_baseline_is_left_byte_for_byte(self) -> None:
        assert audit(GOOD, snapshot(), facts()).issues == ()
        assert patched(GOOD) == GOOD

    def test_the_classification_example_needs_no_patch(self) -> None:
        source = (EXAMPLES / "mnist1d" / "02_train_baseline.py").read_text(encoding="utf-8")
        assert audit(source, snapshot(), facts()).source == source

    def test_other_strings_are_not_paths(self) -> None:
        source = GOOD + 'print("see dataset/prepdata/ and Models/Artifacts/ for v1, baseline")\n'
        assert patched(source) == source

    def test_another_models_folder_is_left_alone(self) -> None:
        source = GOOD + 'teacher = "Models/Artifacts/teacher/best.ckpt"\n'
        assert patched(source) == source


class TestConstants:
    @pytest.mark.parametrize(
        ("there", "wanted"),
        [
            ('DATASET_ID = "v2"', 'DATASET_ID = "v1"'),
            ("DATASET_ID = 'v2'", "DATASET_ID = 'v1'"),
            ('DATASET_ID: str = "v2"  # the data', 'DATASET_ID: str = "v1"  # the data'),
            ('DATASET_ID = os.environ["DATA"]', 'DATASET_ID = "v1"'),
        ],
    )
    def test_a_wrong_value_is_set(self, there: str, wanted: str) -> None:
        source = GOOD.replace('DATASET_ID = "v1"', there)
        assert changed_lines(source, patched(source)) == [f"-{there}", f"+{wanted}"]

    def test_missing_ones_are_inserted_behind_the_imports(self) -> None:
        source = GOOD.replace('DATASET_ID = "v1"\nVERSION = "baseline"\n', "")
        source = source.replace("/ DATASET_ID", '/ "v1"').replace("{VERSION}", "baseline").replace('f"M', '"M')
        assert ast.dump(ast.parse(patched(source))) == ast.dump(ast.parse(GOOD))

    def test_one_defined_too_late_is_moved_up(self) -> None:
        source = GOOD.replace('DATASET_ID = "v1"\n', "").replace("/ DATASET_ID", '/ "v1"') + 'DATASET_ID = "v1"\n'
        after = patched(source)
        assert after.count('DATASET_ID = "v1"') == 1
        assert after.index('DATASET_ID = "v1"') < after.index("/ DATASET_ID")

    def test_a_capital_baseline_keeps_its_spelling(self) -> None:
        source = GOOD.replace('VERSION = "baseline"\n', "").replace(
            'f"Models/Artifacts/{VERSION}"', '"Models/Artifacts/Baseline"'
        )
        assert 'VERSION = "Baseline"' in patched(source)


class TestPaths:
    @pytest.mark.parametrize(
        ("there", "wanted"),
        [
            ('"dataset/prepdata/v1/train"', 'f"dataset/prepdata/{DATASET_ID}/train"'),
            ("'./dataset/prepdata/v1'", "f'./dataset/prepdata/{DATASET_ID}'"),
            ('r"dataset/prepdata/v1/{x}"', 'rf"dataset/prepdata/{DATASET_ID}/{{x}}"'),
            ('f"dataset/prepdata/v1/{split}.npz"', 'f"dataset/prepdata/{DATASET_ID}/{split}.npz"'),
            ('Path("dataset") / "prepdata" / "v1" / "train"', 'Path("dataset") / "prepdata" / DATASET_ID / "train"'),
            ('os.path.join("dataset", "prepdata", "v1")', 'os.path.join("dataset", "prepdata", DATASET_ID)'),
            ('os.path.join("dataset/prepdata", "v1/train")', 'os.path.join("dataset/prepdata", f"{DATASET_ID}/train")'),
            ('"Models/Artifacts/baseline/best.ckpt"', 'f"Models/Artifacts/{VERSION}/best.ckpt"'),
            ('Path("Models/Artifacts", "baseline")', 'Path("Models/Artifacts", VERSION)'),
        ],
    )
    def test_a_literal_is_made_to_derive(self, there: str, wanted: str) -> None:
        source = f"{GOOD}path = {there}\n"
        assert changed_lines(source, patched(source)) == [f"-path = {there}", f"+path = {wanted}"]

    def test_a_constant_of_another_name_is_made_to_derive(self) -> None:
        source = GOOD.replace("/ DATASET_ID", "/ DATA_NAME").replace("\nDATA =", '\nDATA_NAME = "v1"\nDATA =')
        assert changed_lines(source, patched(source)) == ['-DATA_NAME = "v1"', "+DATA_NAME = DATASET_ID"]

    def test_a_folder_held_in_a_constant(self) -> None:
        source = f'{GOOD}BASE = Path("dataset") / "prepdata"\npath = BASE / "v1"\n'
        assert changed_lines(source, patched(source)) == ['-path = BASE / "v1"', "+path = BASE / DATASET_ID"]

    @pytest.mark.parametrize(
        ("there", "wanted"),
        [
            ('class Config:\n    version: str = "baseline"', "class Config:\n    version: str = VERSION"),
            ('class Config:\n    VERSION = "baseline"', "class Config:\n    VERSION = VERSION"),
            ('add_argument("--version", default="baseline")', 'add_argument("--version", default=VERSION)'),
            ('cfg = SimpleNamespace(version="baseline")', "cfg = SimpleNamespace(version=VERSION)"),
            ('cfg = {"run_version": "baseline"}', 'cfg = {"run_version": VERSION}'),
            ('def main(lr, version="baseline"):\n    pass', "def main(lr, version=VERSION):\n    pass"),
            ('class Config:\n    name = "baseline"', 'class Config:\n    name = "baseline"'),
        ],
    )
    def test_a_setting_that_the_path_is_made_of(self, there: str, wanted: str) -> None:
        made = 'HOME = Path("Models", "Artifacts").joinpath(cfg.version)'
        source = GOOD.replace('HOME = Path(f"Models/Artifacts/{VERSION}")', f"{there}\n{made}")
        assert patched(source) == source.replace(there, wanted)

    def test_a_second_data_set_beside_the_right_one_is_reported_only(self) -> None:
        source = f'{GOOD}\nb = "dataset/prepdata/words/x"\n'
        audited = audit(source, snapshot(), facts())
        assert 'b = "dataset/prepdata/words/x"' in audited.source
        assert [issue.line for issue in audited.issues if not issue.patched] == [25]


class TestOutputs:
    @pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
    def test_a_logger_is_added_from_the_scripts_own_package(self, package: str) -> None:
        source = GOOD.replace('    logger=CSVLogger(HOME, name="logs"),\n', "")
        source = source.replace("from lightning.pytorch.loggers import CSVLogger\n", "")
        source = source.replace("import lightning as L", f"import {package} as L").replace(
            "lightning.pytorch.callbacks", f"{package}.callbacks"
        )
        after = patched(
            source, snapshot(logger=LoggerSettings(type="CSVLogger", log_dir="/x/lightning_logs/version_0"))
        )
        assert 'CSVLogger(save_dir=f"Models/Artifacts/{VERSION}", name="logs")' in after
        assert changed_lines(source, after)[-1].endswith('name="logs"),')

    @pytest.mark.parametrize(
        ("there", "wanted"),
        [
            ("logger=True,", 'logger=CSVLogger(save_dir=f"Models/Artifacts/{VERSION}", name="logs"),'),
            ("logger=[wandb],", 'logger=[wandb, CSVLogger(save_dir=f"Models/Artifacts/{VERSION}", name="logs")],'),
            ("logger=wandb,", 'logger=[wandb, CSVLogger(save_dir=f"Models/Artifacts/{VERSION}", name="logs")],'),
            ('logger=CSVLogger("logs"),', 'logger=CSVLogger(f"Models/Artifacts/{VERSION}", name="logs"),'),
            (
                'logger=CSVLogger("x", name="y", version="z"),',
                'logger=CSVLogger(f"Models/Artifacts/{VERSION}", name="logs", version=None),',
            ),
        ],
    )
    def test_the_logger_that_is_there(self, there: str, wanted: str) -> None:
        source = GOOD.replace('logger=CSVLogger(HOME, name="logs"),', there)
        live = GOOD_LOGGER.model_copy(update={"log_dir": "/x/version_0"}) if "CSVLogger" in there else None
        after = patched(source, snapshot(logger=live))
        assert changed_lines(source, after) == [f"-    {there}", f"+    {wanted}"]

    def test_a_script_that_saves_by_itself_is_trusted(self) -> None:
        saves = 'trainer.save_checkpoint(HOME / "last.ckpt")\nshutil.copy(best, HOME / "best.ckpt")\n'
        assert patched(GOOD + saves, snapshot(checkpoints=())) == GOOD + saves

    def test_a_name_alone_is_not_trusted_to_be_written(self) -> None:
        reads = GOOD + 'torch.load(HOME / "last.ckpt")\n'
        found = audit(reads, snapshot((BEST,)), facts()).issues
        assert [issue.message.partition(",")[0] for issue in found] == [
            "expected last.ckpt in Models/Artifacts/{VERSION}/ to be the end of the training"
        ]

    def test_nothing_to_choose_the_best_by_is_said(self) -> None:
        source = GOOD.replace('ModelCheckpoint(HOME, "best", monitor="val_loss"), ', "").replace('"last"', '"best"')
        live = CheckpointSettings(dirpath=HOME, filename="best", monitor=None, mode="min", save_last=False)
        left = [issue for issue in audit(source, snapshot((live,)), facts()).issues if not issue.patched]
        assert "expected a validation loss" in left[0].message

    def test_a_spec_is_written_after_fit(self) -> None:
        source = GOOD.replace(GOOD.splitlines()[-1] + "\n", "").replace("import json\n", "")
        after = patched(source)
        assert after.endswith("write_spec(type(model).__name__)\n")
        assert "import json\n" in after
        assert '"additional_assets": "not_required"' in after

    def test_a_scalers_fit_is_not_the_trainings(self) -> None:
        source = GOOD.replace(GOOD.splitlines()[-1] + "\n", "scaler.fit(rows)\n")
        assert patched(source).endswith("write_spec(type(model).__name__)\nscaler.fit(rows)\n")


class TestSettings:
    def test_hyperparameters_are_logged_where_nothing_else_does(self) -> None:
        bare = GOOD.replace("model.save_hyperparameters()\n", "")
        assert changed_lines(bare, patched(bare)) == [
            '+trainer.logger.log_hyperparams({"dataset_id": DATASET_ID, "version": VERSION})'
        ]
        assert patched(patched(bare)) == patched(bare)
        several = patched(bare, snapshot().model_copy(update={"loggers": (GOOD_LOGGER, GOOD_LOGGER)}))
        assert '    each_logger.log_hyperparams({"dataset_id": DATASET_ID, "version": VERSION})\n' in several

    def test_the_smoke_tests_batch_size_is_applied(self) -> None:
        assert changed_lines(GOOD, patched(GOOD, known=facts(64)))[1].count("batch_size=64") == 1

    def test_the_rules_batch_size_outranks_it(self) -> None:
        known = AuditFacts(
            dataset_id="v1", folder="baseline", batch_size=64, rules=Rules(training_config={"batch_size": 16})
        )
        assert "batch_size=16" in patched(GOOD, known=known)

    def test_any_spelling_of_training_config_is_held(self) -> None:
        held = hold_settings(GOOD, snapshot(), Rules(training_config={"num_epochs": 3}))
        assert changed_lines(GOOD, held.source) == ["-    max_epochs=20,", "+    max_epochs=3,"]
        assert "training_config.num_epochs asks for epochs 3, the script trains with 20" in held.issues[0].message

    def test_what_is_held_already_is_not_touched(self) -> None:
        rules = Rules(training_config={"epochs": 20, "lr": 1e-3, "optimizer": "adam", "batch_size": 32.0})
        assert hold_settings(GOOD, snapshot(), rules) == Held(GOOD, ())

    def test_what_cannot_be_held_is_said_and_an_unknown_key_only_by_the_rules(self) -> None:
        rules = Rules(training_config={"lr": 0.1, "epoch": 3})
        held = hold_settings(GOOD, snapshot(), rules)
        assert [issue.patched for issue in held.issues] == [False]
        assert held.issues[0].remedy.startswith("not patched")
        assert ["training_config.epoch" in warning for warning in rules.warnings] == [True]

    def test_what_is_there_with_another_value_contradicts(self) -> None:
        rules = Rules(training_config={"lr": 0.1, "dropout": 0.2, "momentum": 0.9, "epochs": 20})
        assert contradictions(snapshot(), rules) == (
            "training_config.lr asks for lr 0.1, the script trains with 0.001",
        )

    def test_words_ask_for_numbers_only_and_never_contradict(self) -> None:
        rules = Rules(instructions=("train for 3 epochs", "use SGD", "no dropout"))
        held = hold_settings(GOOD, snapshot(), rules)
        assert changed_lines(GOOD, held.source) == ["-    max_epochs=20,", "+    max_epochs=3,"]
        assert [issue.message for issue in held.issues if not issue.patched] == [
            "user_instruction.md: use SGD asks for optimizer SGD, the script trains with Adam; "
            "no change may set it otherwise, and one that sets it so may be chosen"
        ]
        assert contradictions(snapshot(), rules) == ()

    def test_what_is_asked_for_by_name_and_not_there_is_left_to_a_change(self) -> None:
        rules = Rules(instructions=("use SGD", "keep the batch size"))
        assert [wish.value for wish in wishes(snapshot(), rules)] == ["SGD"]
        assert set(locks_on(snapshot(), rules)) == {"batch_size", "seed"}
        there = Rules(instructions=("use Adam",))
        assert wishes(snapshot(), there) == ()
        assert set(locks_on(snapshot(), there)) == {"optimizer", "seed"}

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("optimal_batch_size: 128", 128),
            ("| optimal_batch_size | 64 |", 64),
            ("- **Optimal batch size**: `32`", 32),
            ('"optimal_batch_size": 16', 16),
            ("batch size not found", None),
        ],
    )
    def test_the_smoke_tests_report_is_read(self, tmp_path: Path, text: str, size: int | None) -> None:
        report = tmp_path / "baseline_smoke_test_report.md"
        assert smoke_test_batch_size(report) is None
        report.write_text(f"# Smoke test\n\n{text}\n", encoding="utf-8")
        assert smoke_test_batch_size(report) == size


class TestReport:
    def test_it_has_every_field_and_the_lines(self) -> None:
        source = GOOD.replace('DATASET_ID = "v1"', 'DATASET_ID = "v2"')
        report = render_patch_report(audit(source, snapshot(), facts()))
        fields = (
            "issues_found",
            "patch_summary",
            "files_changed",
            "compatibility_notes",
            "why nothing else was changed",
        )
        assert [f"## {field}\n" in report for field in fields] == [True] * 5
        assert 'line 11: expected DATASET_ID = "v1", found "v2"' in report

    def test_where_nothing_was_found_it_says_none(self) -> None:
        assert "## issues_found\n\n- none" in render_patch_report(audit(GOOD, snapshot(), facts()))


class TestLineEndings:
    def test_windows_line_ends_are_kept(self) -> None:
        source = (EXAMPLES / "regression" / "02_train_baseline.py").read_text(encoding="utf-8").replace("\n", "\r\n")
        after = patched(source, snapshot(logger=None))
        assert after.count("\n") == after.count("\r\n")
