import io
import os
import struct

import numpy as np
import pytest
import torch

from progtrain.errors import CaptureError, EvaluationError
from progtrain.evaluation.asking.isolation import apart, one_thread


def test_plain_data_arrive_as_they_were():
    sent = (torch.arange(4)[1:3], {"text": "a", "numbers": [1, 2.5, None, True]}, np.float32(0.5), np.ones(2))
    (received,) = apart(lambda send: send(sent))
    assert received[0].tolist() == [1, 2]
    assert received[1:3] == ({"text": "a", "numbers": [1, 2.5, None, True]}, 0.5)
    assert received[3].tolist() == [1, 1]


def test_other_objects_arrive_as_their_text():
    assert list(apart(lambda send: send(CaptureError("what")))) == ["what"]


def test_nothing_that_is_done_there_is_done_here():
    here = {"patched": False}

    def patch(send):
        here["patched"] = True
        os.chdir("/")
        send((here["patched"], os.getpid()))

    folder = os.getcwd()
    ((patched, process),) = apart(patch)
    assert (patched, here["patched"], os.getcwd()) == (True, False, folder)
    assert process != os.getpid()


@pytest.mark.parametrize(
    ("raised", "told"), [(CaptureError("no fit"), "^no fit$"), (KeyError("k"), "^KeyError: 'k'$"), (SystemExit(3), "3")]
)
def test_what_is_raised_there_is_told_here(raised, told):
    def fail(send):
        send(1)
        raise raised

    received = apart(fail)
    assert next(received) == 1
    with pytest.raises(EvaluationError, match=told):
        next(received)


def test_a_process_that_ends_early_is_noticed():
    def leave(send):
        send(1)
        os._exit(0)

    with pytest.raises(EvaluationError, match="ended before"):
        list(apart(leave))


def _pipes():
    ends = [int(name) for name in os.listdir("/proc/self/fd")]
    return {end for end in ends if _target(end).startswith("pipe:")}


def _target(end):
    try:
        return os.readlink(f"/proc/self/fd/{end}")
    except OSError:
        return ""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="finds the pipe where Linux lists it")
def test_reading_runs_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    before = _pipes()

    def forge(send):
        packed = io.BytesIO()
        torch.save(("value", Trap()), packed)
        message = packed.getvalue()
        (pipe,) = _pipes() - before
        os.write(pipe, struct.pack(">Q", len(message)) + message)
        os._exit(0)

    with pytest.raises(EvaluationError, match="cannot be read safely"):
        list(apart(forge))
    assert not (tmp_path / "sprung").exists()


def test_a_process_apart_has_the_threads_that_were_there_before():
    def count(send):
        send(torch.get_num_threads())

    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
        assert list(apart(count)) == [2]
    assert torch.get_num_threads() == 2
