from pathlib import Path
from textwrap import dedent

import pytest

from progtrain.errors import CaptureError
from progtrain.script.capturing.capture import CapturedFit
from tests.script.capturing.scripts import SGD, captured

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

TRAINERS = """
from lightning.pytorch.callbacks import ModelCheckpoint

VERSION = "v001"
HOME = f"Models/Artifacts/{VERSION}"


def best(name="best", **options):
    return ModelCheckpoint(HOME, name, monitor="valid_loss", **options)


def trainer(epochs, *callbacks):
    return L.Trainer(
        max_epochs=epochs, logger=False, enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
        callbacks=list(callbacks),
    )


train, valid = loader(50, True), loader(20)
"""


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _captured(folder: Path, body: str) -> CapturedFit:
    return captured(folder, TRAINERS + dedent(body), SGD)


SEVERAL = {
    "folds": """
        scores = []
        for fold in range(3):
            own = trainer(3, best(enable_version_counter=False))
            own.fit(Net(), train, valid)
            scores.append(own.callback_metrics["valid_loss"].item())
        print(sum(scores) / len(scores))
        """,
    "folds in a function": """
        def run(fold):
            checkpoint = best()
            own = trainer(3, checkpoint)
            own.fit(Net(), train, valid)
            Net.load_from_checkpoint(checkpoint.best_model_path)
            return float(own.validate(Net(), valid)[0]["valid_loss"])
        print(sum(run(fold) for fold in range(3)))
        """,
    "folds that are written out": """
        def run(fold):
            trainer(3, best()).fit(Net(), train, valid)
        run(0)
        run(1)
        """,
    "a search that a library runs": """
        import functools
        def objective(total, rate):
            own = trainer(1, best())
            own.fit(Net(rate), train, valid)
            return total + own.checkpoint_callback.best_model_score.item()
        functools.reduce(objective, [0.1, 0.01], 0.0)
        """,
    "a loop whose checkpoints have other names": """
        for fold in range(2):
            trainer(3, best(f"fold{fold}")).fit(Net(), train, valid)
        """,
    "a loop that cannot be followed": """
        for fold in range(2):
            own = trainer(3, best())
            own.fit(Net(), train, valid)
            torch.cat(own.predict(Net(), valid))
        """,
    "two models, one name": """
        trainer(3, best()).fit(Net(), train, valid)
        trainer(4, best()).fit(Net(), train, valid)
        """,
    "a second phase beside the best of the first": """
        model = Net()
        trainer(3, best()).fit(model, train, valid)
        trainer(4, best()).fit(model, train, valid)
        """,
}


@pytest.mark.parametrize("shape", SEVERAL)
def test_where_no_one_fit_leaves_best_ckpt_the_script_is_refused(tmp_path: Path, shape: str) -> None:
    with pytest.raises(CaptureError, match=r"02_train_v001\.py (perhaps )?fits more than once.* line"):
        _captured(tmp_path, SEVERAL[shape])
    assert not list(tmp_path.glob("Models/Artifacts/*/*"))


PHASES = {
    "a frozen phase": """
        first = best("frozen")
        trainer(3, first).fit(Net(), train, valid)
        trainer(4, best()).fit(Net.load_from_checkpoint(first.best_model_path), train, valid)
        """,
    "the same trainer goes on": """
        model, own = Net(), trainer(3, best())
        own.fit(model, train, valid)
        own.fit_loop.max_epochs = 4
        own.fit(model, train, valid)
        """,
    "a sweep before": """
        scores = {}
        for rate in (0.1, 0.01):
            own = L.Trainer(max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
            own.fit(Net(rate), train, valid)
            scores[rate] = own.callback_metrics["valid_loss"]
        trainer(4, best()).fit(Net(max(scores, key=scores.get)), train, valid)
        """,
    "the best file is a copy": """
        import os, shutil
        first, second = best("one"), best("two")
        trainer(3, first).fit(Net(), train, valid)
        trainer(4, second).fit(Net(), train, valid)
        shutil.copy(second.best_model_path, f"{HOME}/best.ckpt")
        os.remove(first.best_model_path)
        """,
    "no file is called best": """
        model = Net()
        trainer(3).fit(model, train, valid)
        trainer(4).fit(model, train, valid)
        """,
    "one that is no fit of a Trainer's": """
        class Scaler:
            def fit(self, values):
                return self
        Scaler().fit([1])
        trainer(3).fit(Net(), train, valid)
        trainer(4, best()).fit(Net(), train, valid)
        """,
}


@pytest.mark.parametrize("shape", PHASES)
def test_the_phase_that_leaves_best_ckpt_is_captured(tmp_path: Path, shape: str) -> None:
    fit = _captured(tmp_path, PHASES[shape])
    assert fit.snapshot.max_epochs == 4
    (note,) = fit.snapshot.notes
    assert note.startswith("The script fits more than once: captured is the fit in line ")
    assert "valid_loss" not in fit.trainer.callback_metrics  # it is Lightning's own again


def test_a_first_fit_that_counts_is_captured_and_what_follows_is_told(tmp_path: Path) -> None:
    body = """
        trainer(4, best()).fit(Net(), train, valid)
        trainer(1, best("student")).fit(Net(), train, valid)
        """
    fit = _captured(tmp_path, body)
    assert fit.snapshot.max_epochs == 4
    assert "which leaves best.ckpt; that in line" in fit.snapshot.notes[0]
    assert not list(tmp_path.glob("Models/Artifacts/*/*"))


ONCE = {
    "tries again": """
        for attempt in range(3):
            try:
                trainer(4, best()).fit(Net(), train, valid)
            except ValueError:
                continue
            break
        """,
    "a loop of one": """
        for seed in [42]:
            trainer(4, best()).fit(Net(), train, valid)
        """,
    "another fit beside": """
        class Scaler:
            def fit(self, values):
                return self
        Scaler().fit([1])
        trainer(4, best()).fit(Net(), train, valid)
        """,
}


@pytest.mark.parametrize("shape", ONCE)
def test_a_script_that_fits_once_says_nothing(tmp_path: Path, shape: str) -> None:
    fit = _captured(tmp_path, ONCE[shape])
    assert (fit.snapshot.max_epochs, fit.snapshot.notes) == (4, ())


def test_what_follows_the_fit_is_not_done_when_it_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    body = """
        import os, subprocess
        for seed in [42]:
            trainer(4, best()).fit(Net(), train, valid)
        os.remove("kept.txt")
        open("told.txt", "w").write("it came here")
        subprocess.run(["touch", "sent.txt"])
        """
    assert _captured(tmp_path, body).snapshot.max_epochs == 4
    assert (tmp_path / "told.txt").exists()
    assert (tmp_path / "kept.txt").exists()
    assert not (tmp_path / "sent.txt").exists()
