"""Where lines go before and behind the training, and how Trainers get logger and callbacks, however they are made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from progtrain.script.auditing.audit import Audit

pytestmark = pytest.mark.filterwarnings("ignore")

TABLE = [
    pytest.param(
        """\
best = ModelCheckpoint(OUT, "best", monitor="val_loss", save_last=True)
trainer = pl.Trainer(max_epochs=2, callbacks=[best], logger=CSVLogger(OUT, "logs"))
trainer.fit(Model(), Data())
""",
        """\
<spec>
best = ModelCheckpoint(OUT, "best", monitor="val_loss")
last = <last in OUT>
trainer = pl.Trainer(max_epochs=2, callbacks=[best, last], logger=CSVLogger(OUT, "logs"))
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="plain",
    ),
    pytest.param(
        """\
def main():
    trainer = pl.Trainer(max_epochs=2)
    return trainer.fit(Model(), Data())


main()
""",
        """\
<spec>
def main():
    logger = <logger>
    best = <best>
    <last, broken>
    trainer = pl.Trainer(max_epochs=2, logger=logger, callbacks=[best, last])
    trainer.fit(Model(), Data())
    write_spec(type(trainer.lightning_module).__name__)


main()
""",
        id="returned",
    ),
    pytest.param(
        """\
def main(debug=False):
    trainer = pl.Trainer(max_epochs=2)
    model = Model()
    if not debug:
        return trainer.fit(model, Data())
    print("debug")


main()
""",
        """\
<spec>
def main(debug=False):
    logger = <logger>
    best = <best>
    <last, broken>
    trainer = pl.Trainer(max_epochs=2, logger=logger, callbacks=[best, last])
    model = Model()
    if not debug:
        trainer.fit(model, Data())
        write_spec(type(model).__name__)
        return
    print("debug")


main()
""",
        id="returned in if",
    ),
    pytest.param(
        """\
def main():
    return pl.Trainer(max_epochs=2, enable_checkpointing=False, logger=False).fit(model=Model(), datamodule=Data())


main()
""",
        """\
<spec>
def main():
    logger = <logger>
    best = <best>
    <last, broken>
    trainer = pl.Trainer(max_epochs=2, enable_checkpointing=True, logger=logger, callbacks=[best, last])
    trainer.fit(model=Model(), datamodule=Data())
    write_spec(type(trainer.lightning_module).__name__)


main()
""",
        id="chained return",
    ),
    pytest.param(
        """\
trainer = pl.Trainer(max_epochs=2, default_root_dir="runs")
try:
    trainer.fit(
        Model(),
        datamodule=Data(),
    )
except KeyboardInterrupt:
    print("stopped")
""",
        """\
<spec>
logger = <logger>
best = <best>
<last, broken>
trainer = pl.Trainer(max_epochs=2, default_root_dir="runs", logger=logger, callbacks=[best, last])
try:
    trainer.fit(
        Model(),
        datamodule=Data(),
    )
    write_spec(type(trainer.lightning_module).__name__)
except KeyboardInterrupt:
    print("stopped")
""",
        id="try",
    ),
    pytest.param(
        """\
def run(t, model):
    t.fit(model, Data())


run(pl.Trainer(max_epochs=2, default_root_dir="logs"), Model())
""",
        """\
<spec>
def run(t, model):
    t.fit(model, Data())
    write_spec(type(model).__name__)


logger = <logger>
best = <best>
<last, broken>
run(pl.Trainer(max_epochs=2, default_root_dir="logs", logger=logger, callbacks=[best, last]), Model())
""",
        id="helper",
    ),
    pytest.param(
        """\
import os

trainer = pl.Trainer(max_epochs=2)
model = Model()
if os.path.exists("resume.ckpt"):
    trainer.fit(model, Data(), ckpt_path="resume.ckpt")
else:
    trainer.fit(model, Data())
""",
        """\
<spec>
import os

best = <best>
<last, broken>
trainer = pl.Trainer(max_epochs=2, logger=<logger>, callbacks=[best, last])
model = Model()
if os.path.exists("resume.ckpt"):
    trainer.fit(model, Data(), ckpt_path="resume.ckpt")
    write_spec(type(model).__name__)
else:
    trainer.fit(model, Data())
    write_spec(type(model).__name__)
""",
        id="sites",
    ),
    pytest.param(
        """\
settings = dict(max_epochs=2, logger=False, callbacks=[EarlyStopping("val_loss")])
trainer = pl.Trainer(**settings)
trainer.fit(Model(), Data())
""",
        """\
<spec>
settings = dict(max_epochs=2, logger=False, callbacks=[EarlyStopping("val_loss")])
trainer = pl.Trainer(**settings)
trainer.logger = <logger>
trainer.callbacks.append(<best>)
trainer.callbacks.append(<last>)
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="kwargs",
    ),
    pytest.param(
        """\
settings = dict(max_epochs=2, logger=False, enable_checkpointing=False)
trainer = pl.Trainer(**settings)
trainer.fit(Model(), Data())
""",
        """\
<spec>
settings = dict(max_epochs=2, logger=False, enable_checkpointing=False)
trainer = pl.Trainer(**settings)
trainer.logger = <logger>
trainer.callbacks.append(<best>)
trainer.callbacks.append(<last>)
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="kwargs ckpt off",
    ),
]


@pytest.mark.parametrize(("before", "after"), TABLE)
def test_what_a_training_must_leave_is_added(
    patched: Callable[..., str], expanded: Callable[[str], str], before: str, after: str
) -> None:
    assert patched(before) == expanded(after)


GOOD_TRAINER = """\
best, last = ModelCheckpoint(OUT, "best", monitor="val_loss"), ModelCheckpoint(OUT, "last")
trainer = pl.Trainer(max_epochs=2, callbacks=[best, last], logger=CSVLogger(OUT, "logs"))
"""


@pytest.mark.parametrize(
    ("main", "line", "named"),
    [
        (f"{GOOD_TRAINER}for _ in range(1): trainer.fit(Model(), Data())\n", 45, "a statement of its own"),
        (f"{GOOD_TRAINER}trainer.fit(Model(), Data()) if OUT else None\n", 45, "a statement of its own"),
        (f"{GOOD_TRAINER}trainer.fit(Model(), Data()); print('done')\n", 45, "a statement of its own"),
        (f"{GOOD_TRAINER}fit = trainer.fit\nfit(Model(), Data())\n", None, "call trainer.fit(...) in this script"),
        (
            "one = pl.Trainer(max_epochs=1)\none.fit(Model(), Data())\npl.Trainer(max_epochs=2).fit(Model(), Data())\n",
            43,
            "pass callbacks=[ModelCheckpoint(dirpath=",
        ),
    ],
)
def test_what_cannot_be_added_is_named(audited: Callable[..., Audit], main: str, line: int | None, named: str) -> None:
    left = [issue for issue in audited(main).issues if issue.needed and not issue.patched]
    assert line in [issue.line for issue in left]
    assert any(named in issue.remedy for issue in left)
