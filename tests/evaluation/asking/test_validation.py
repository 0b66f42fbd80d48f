"""How a script goes through its own validation set: how many of its samples it takes, and whether in order."""

import contextlib
from pathlib import Path

import pytest
import torch

from progtrain.evaluation.asking.isolation import apart
from progtrain.evaluation.asking.validation import validation_of
from progtrain.evaluation.yardstick.batches import by_convention
from progtrain.script.capturing.inside_fit import inside_fit
from tests.script.capturing.scripts import written

pytestmark = pytest.mark.filterwarnings("ignore")

BODY = """
from torch.utils.data import IterableDataset, RandomSampler, Sampler, SubsetRandomSampler


class Stream(IterableDataset):
    def __iter__(self):
        return iter(rows)


class Backwards(Sampler):
    def __iter__(self):
        return iter(range(24, -1, -1))


rows = loader(25).dataset
trainer = L.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", {trainer})
trainer.fit(Net(), loader(20), DataLoader({loader}))
"""
#: Arguments of the loader and of the Trainer -> samples in the set, how many the script takes, whether otherwise.
CASES = {
    "all of them": ("rows, 10", "", (25, 25, False)),
    "shuffled": ("rows, 10, shuffle=True", "", (25, 25, True)),
    "whole batches": ("rows, 10, drop_last=True", "", (25, 20, False)),
    "some batches": ("rows, 10", "limit_val_batches=2", (25, 20, False)),
    "more batches than there are": ("rows, 10", "limit_val_batches=9", (25, 25, False)),
    "half of the batches": ("rows, 5", "limit_val_batches=0.5", (25, 10, False)),
    "a part of the set": ("rows, 2, sampler=SubsetRandomSampler([7, 2, 5])", "", (3, 3, True)),
    "whole batches of a part": ("rows, 2, sampler=SubsetRandomSampler([7, 2, 5]), drop_last=True", "", (3, 2, True)),
    "drawn again and again": ("rows, 10, sampler=RandomSampler(rows, num_samples=15)", "", (25, 15, True)),
    "a sampler of unknown length": ("rows, 10, sampler=Backwards()", "", (25, None, True)),
    "a stream": ("Stream(), 10", "", (25, None, False)),
}


def validation(folder: Path, loader: str, trainer: str):
    """Samples, how many the script takes, whether in another order."""
    script = written(folder, "import lightning as L", BODY.format(loader=loader, trainer=trainer))

    def look(fit):
        found = validation_of(fit, script.name, by_convention, None)
        fit.begin_validation()
        return sum(len(batch) for batch in found.samples), found.validated, found.shuffled

    def work(send):
        with contextlib.chdir(folder):
            inside_fit(Path(script.name), lambda fit: send(look(fit)))

    torch.set_num_threads(1)
    (found,) = apart(work)
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_the_script_takes_of_its_validation_set(name, tmp_path):
    loader, trainer, expected = CASES[name]
    assert validation(tmp_path, loader, trainer) == expected
