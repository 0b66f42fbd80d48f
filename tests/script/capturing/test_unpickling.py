"""What a checkpoint may hold beside its weights is read, whatever it is, and none of it is run."""

import argparse
import collections
import datetime
import enum
import functools
import os
import pathlib
import pickle
import types
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import nn

from progtrain.errors import EvaluationError
from progtrain.script.capturing.checkpoints import read_checkpoint
from progtrain.script.capturing.unpickling import Inert, read

RUN: list[str] = []


class Colour(enum.Enum):
    RED = 1


@dataclass
class Inner:
    sizes: list[int] = field(default_factory=lambda: [1, 2])


@dataclass
class Config:
    inner: Inner = field(default_factory=Inner)
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True)
class Slotted:
    width: int = 3


class Outer:
    @dataclass
    class Within:
        width: int = 3

    class Colour(enum.Enum):
        RED = 1


class Dots(dict):
    """As many configurations are."""

    def __setitem__(self, key, value):
        RUN.append("set")
        super().__setitem__(key, value)


class Items(list):
    def extend(self, values):
        RUN.append("extend")


class Stated:
    def __init__(self):
        self.width = 3

    def __setstate__(self, state):
        RUN.append("state")


class Own(torch.Tensor):
    pass


def run(*values):
    RUN.append("run")


class Reduced:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


INERT = {
    "dataclasses": Config(),
    "slots": Slotted(),
    "a class within another": Outer.Within(),
    "an enum within a class": Outer.Colour.RED,
    "enum": Colour.RED,
    "dict of one's own": Dots(a=1),
    "list of one's own": Items([1]),
    "with __setstate__": Stated(),
    "with __reduce__": Reduced(run, 1),
    "defaultdict": collections.defaultdict(list, {1: [2]}),
    "deque": collections.deque([1]),
    "SimpleNamespace": types.SimpleNamespace(a=1),
    "time": datetime.datetime(2026, 1, 1),
    "partial": functools.partial(torch.optim.Adam, lr=0.1),
    "module": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)),
    "class": nn.ReLU,
    "function": nn.functional.gelu,
    "bound method": Stated().__setstate__,
    "optimizer": torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1),
    "system": Reduced(os.system, "exit 1"),
    "eval": Reduced(eval, "RUN.append('eval')"),
}
VALUES = {
    "path": pathlib.Path("a/b"),
    "namespace": argparse.Namespace(lr=0.1),
    "number": np.float64(2.5),
    "dtype": np.dtype("float32"),
    "torch dtype": torch.float64,
    "set": {1, 2},
    "nested": {"a": [(1, None, True), b"x"]},
}


def saved(folder: pathlib.Path, value: object) -> pathlib.Path:
    content = {"state_dict": {"weight": torch.arange(3.0)}, "hyper_parameters": {"value": value}}
    torch.save(content, folder / "best.ckpt")
    RUN.clear()
    return folder / "best.ckpt"


@pytest.mark.parametrize("kind", INERT)
def test_objects_are_inert(tmp_path: pathlib.Path, kind: str) -> None:
    content = read_checkpoint(saved(tmp_path, INERT[kind]))
    assert torch.equal(content["state_dict"]["weight"], torch.arange(3.0))
    stands = content["hyper_parameters"]["value"]
    assert isinstance(stands, Inert) or stands is Inert
    assert RUN == []


@pytest.mark.parametrize("kind", VALUES)
def test_values_are_what_they_were(tmp_path: pathlib.Path, kind: str) -> None:
    # The object beside it keeps torch from reading it alone.
    found = read_checkpoint(saved(tmp_path, [VALUES[kind], Config()]))["hyper_parameters"]["value"]
    assert found[0] == VALUES[kind]
    assert type(found[0]) is type(VALUES[kind])


def test_arrays_and_tensors_of_ones_own_class_are_read(tmp_path: pathlib.Path) -> None:
    held = [np.arange(3), torch.ones(2).as_subclass(Own), Config()]
    array, tensor, _ = read_checkpoint(saved(tmp_path, held))["hyper_parameters"]["value"]
    assert array.tolist() == [0, 1, 2]
    assert type(tensor) is torch.Tensor
    assert tensor.tolist() == [1, 1]


def test_state_for_what_others_use_is_refused(tmp_path: pathlib.Path) -> None:
    # Sets an attribute of a class of torch, as the pickle of no object does.
    pickled = b"\x80\x02ctorch.nn.parameter\nParameter\nN}X\x03\x00\x00\x00anyK\x01s\x86b."
    before = dict(vars(nn.Parameter))
    path = saved(tmp_path, Config())
    archive = torch._C.PyTorchFileWriter(str(path))
    archive.write_record("data.pkl", pickled, len(pickled))
    archive.write_record("byteorder", b"little", 6)
    archive.write_end_of_file()
    with pytest.raises(pickle.UnpicklingError, match="Expected no state"):
        read(path, lambda module, name: None)
    with pytest.raises(EvaluationError, match=r"cannot be read safely.*ignore="):
        read_checkpoint(path)
    assert dict(vars(nn.Parameter)) == before
