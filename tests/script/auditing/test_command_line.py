"""LightningCLI scripts, configured in code and by a file, with and without a fit of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIGURATION = """\
trainer:
  max_epochs: 2
  logger:
    class_path: lightning.pytorch.loggers.CSVLogger
    init_args:
      save_dir: Models/Artifacts/baseline
      name: logs
  callbacks:
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args:
        dirpath: Models/Artifacts/baseline
        filename: best
        monitor: val_loss
        save_last: true
    - class_path: lightning.pytorch.callbacks.EarlyStopping
      init_args:
        monitor: val_loss
model:
  lr: 0.05
"""

TABLE = [
    pytest.param(
        """\
if __name__ == "__main__":
    LightningCLI(Model, Data, trainer_defaults={"max_steps": 4})
""",
        """\
<spec>
class TrainingCLI(LightningCLI):
    def before_fit(self):
        self.trainer.logger = <logger>

    def after_fit(self):
        write_spec(type(self.model).__name__)


if __name__ == "__main__":
    best = <best>
    <last, broken>
    TrainingCLI(Model, Data, trainer_defaults={"max_steps": 4, "callbacks": [best, last]}, args=sys.argv[1:] or ["fit"])
""",
        id="cli run",
    ),
    pytest.param(
        """\
def cli_main(args=None):
    cli = LightningCLI(
        Model,
        Data,
        trainer_defaults={"max_epochs": 2},
        args=args,
    )


if __name__ == "__main__":
    cli_main()
""",
        """\
<spec>
class TrainingCLI(LightningCLI):
    def before_fit(self):
        self.trainer.logger = <logger>

    def after_fit(self):
        write_spec(type(self.model).__name__)


def cli_main(args=None):
    best = <best>
    <last, broken>
    cli = TrainingCLI(
        Model,
        Data,
        trainer_defaults={"max_epochs": 2, "callbacks": [best, last]},
        args=args or sys.argv[1:] or ["fit"],
    )


if __name__ == "__main__":
    cli_main()
""",
        id="cli function",
    ),
    pytest.param(
        """\
class MyCLI(LightningCLI):
    def add_arguments_to_parser(self, parser):
        parser.add_lightning_class_args(EarlyStopping, "stop")
        parser.set_defaults({"stop.monitor": "val_loss"})

    def after_fit(self):
        print("done")


MyCLI(Model, Data, args=["fit", "--trainer.max_epochs=2"])
""",
        """\
<spec>
class MyCLI(LightningCLI):
    def add_arguments_to_parser(self, parser):
        parser.add_lightning_class_args(EarlyStopping, "stop")
        parser.set_defaults({"stop.monitor": "val_loss"})

    def after_fit(self):
        print("done")
        write_spec(type(self.model).__name__)

    def before_fit(self):
        self.trainer.logger = <logger>


best = <best>
<last, broken>
MyCLI(Model, Data, args=["fit", "--trainer.max_epochs=2"], trainer_defaults={"callbacks": [best, last]})
""",
        id="cli own",
    ),
    pytest.param(
        """\
cli = LightningCLI(Model, Data, run=False, args=["--config=config.yaml"])
cli.trainer.fit(cli.model, datamodule=cli.datamodule)
""",
        """\
<spec>
cli = LightningCLI(Model, Data, run=False, args=["--config=config.yaml"])
cli.trainer.logger = <logger>
cli.trainer.checkpoint_callback.dirpath = f"Models/Artifacts/{VERSION}"
cli.trainer.checkpoint_callback.filename = "best"
cli.trainer.checkpoint_callback.save_last = False
cli.trainer.callbacks.append(<last>)
cli.trainer.fit(cli.model, datamodule=cli.datamodule)
write_spec(type(cli.model).__name__)
""",
        id="cli not run",
    ),
    pytest.param(
        """\
LightningCLI(Model, Data)
""",
        """\
<spec>
class TrainingCLI(LightningCLI):
    def before_fit(self):
        self.trainer.logger = <logger>
        self.trainer.checkpoint_callback.dirpath = f"Models/Artifacts/{VERSION}"
        self.trainer.checkpoint_callback.filename = "best"
        self.trainer.checkpoint_callback.save_last = False
        self.trainer.callbacks.append(<last>)

    def after_fit(self):
        write_spec(type(self.model).__name__)


TrainingCLI(Model, Data, args=sys.argv[1:] or ["fit", "--config", "config.yaml"])
""",
        id="cli yaml",
    ),
]


@pytest.mark.parametrize(("before", "after"), TABLE)
def test_what_a_training_must_leave_is_added(
    folder: Path, patched: Callable[..., str], expanded: Callable[[str], str], before: str, after: str
) -> None:
    reads = before == "LightningCLI(Model, Data)\n" or "config.yaml" in before
    (folder / "config.yaml").write_text(CONFIGURATION, encoding="utf-8")
    assert patched(before, *(["config.yaml"] if reads else [])) == expanded(after)


@pytest.mark.parametrize(
    "main",
    [
        "LightningCLI(Model, Data, args=sys.argv[1:])\n",
        "LightningCLI(Model, Data, args=ARGUMENTS)\n",
        "LightningCLI(Model, Data, **settings)\n",
        "LightningCLI(Model, Data, run=False)\n",
        "LightningCLI(Model, Data, parser_kwargs={'fit': {'default_config_files': ['a.yaml']}}, args=['fit'])\n",
    ],
)
def test_arguments_that_are_there_are_left(main: str, patch_to_run: Callable[[str], str]) -> None:
    assert patch_to_run(main) == main


def test_of_several_files_none_is_guessed(patch_to_run: Callable[..., str]) -> None:
    after = patch_to_run("LightningCLI(Model, Data)\n", "a.yaml", "b.yaml")
    assert after == 'LightningCLI(Model, Data, args=sys.argv[1:] or ["fit"])\n'
