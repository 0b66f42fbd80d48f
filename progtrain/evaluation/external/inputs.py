"""The raw validation inputs as files, one a sample: `python -m progtrain.evaluation.external.inputs`, in a workspace.

They are what the data set's own listing has; where it has none, what the first version's validation loader gives.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from torch.utils.data import DataLoader

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.showing.presentation import Names, read_names, write_input
from progtrain.evaluation.yardstick.batches import Batch, Texts, ValidationSet
from progtrain.evaluation.yardstick.listing import Listed, read_listing
from progtrain.evaluation.yardstick.locked import FIRST, locked_protocol, locked_yardstick
from progtrain.evaluation.yardstick.protocol import Protocol
from progtrain.records import Record
from progtrain.script.capturing.capture import capture_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.tasks import Task, task_of
from progtrain.workspace import Workspace, write_atomic

INDEX: Final = "index.json"
#: What is handed over as a value; of any other file, its path.
_READ: Final = (".json", ".txt", ".csv")


class InputFile(Record):
    """One sample's input.

    Args:
        path: of its file.
        read: whether the file's content is handed over, not its path: the file was written for this alone.
    """

    path: str
    read: bool


def inputs_folder(workspace: Workspace) -> Path:
    """Where the inputs lie: `index.json` lists every sample's InputFile, in the locked order."""
    return workspace.state / "external" / "inputs"


def write_inputs(workspace: Workspace) -> Path:
    """Write every validation input; the index comes last.

    Raises:
        ProgtrainError: they cannot be had, or are not as many as were locked.
    """
    protocol = locked_protocol(workspace)
    folder = inputs_folder(workspace)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    listing = read_listing(workspace, protocol.dataset_id)
    if listing is not None and all(listed.file is not None or listed.value is not None for listed in listing):
        files = _from_listing(workspace, protocol, listing, folder)
    else:
        files = _from_loader(workspace, protocol, folder)
    if len(files) != protocol.num_samples:
        raise EvaluationError(
            f"Expected the inputs of {protocol.num_samples} validation samples, got {len(files)}. "
            "Restore the validation set, or begin a new workspace."
        )
    write_atomic(folder / INDEX, json.dumps([file.model_dump() for file in files], indent=1))
    return folder / INDEX


def _from_listing(workspace: Workspace, protocol: Protocol, listing: Sequence[Listed], folder: Path) -> list[InputFile]:
    names, task = read_names(workspace.prepdata(protocol.dataset_id)), task_of(protocol.task_type)
    unseen = Batch(None, Texts(()))  # the listing holds the input
    return [
        InputFile(path=str(listed.file), read=False)
        if listed.file is not None
        else _written(folder / str(index), unseen, task, listed, names)
        for index, listed in enumerate(listing)
    ]


def _from_loader(workspace: Workspace, protocol: Protocol, folder: Path) -> list[InputFile]:
    names, task = read_names(workspace.prepdata(protocol.dataset_id)), task_of(protocol.task_type)
    with _first_validation_set(workspace, protocol) as data:
        rows = (batch.row(index) for batch in data for index in range(len(batch)))
        return [_written(folder / str(index), row, task, None, names) for index, row in enumerate(rows)]


def _written(home: Path, batch: Batch, task: Task, listed: Listed | None, names: Names) -> InputFile:
    home.mkdir()
    write_input(home, batch, task, listed, names)
    (file,) = home.iterdir()
    return InputFile(path=str(file), read=file.suffix in _READ)


@contextlib.contextmanager
def _first_validation_set(workspace: Workspace, protocol: Protocol) -> Iterator[ValidationSet]:
    """Version one's: later versions may prepare their inputs otherwise."""
    source = workspace.read_script(FIRST)
    with scratch_view(workspace, FIRST, source) as view, contextlib.chdir(view):
        split = locked_yardstick(workspace, protocol).split
        loader = capture_fit(view / workspace.script(FIRST).name).valid_loader
        if not isinstance(loader, DataLoader):
            raise EvaluationError(f"Expected a validation DataLoader in the script of {FIRST}, got none.")
        yield ValidationSet(loader, split)


def main() -> None:
    """Write the inputs of the workspace that is the working directory."""
    try:
        print(write_inputs(Workspace(os.getcwd())))
    except ProgtrainError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
