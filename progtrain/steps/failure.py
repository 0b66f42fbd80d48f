"""Why a job failed, in one line, from its log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from progtrain.errors import shortened
from progtrain.executors import Outcome

LONGEST_PARAGRAPH: Final = 2000
_EXCEPTION = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|Failure)\b.*")
_BY_CHANCE: Final = re.compile(
    r"memory|no space left|time limit|exit code (-|1[2-9]\d)|address already in use|CUDA error|NCCL"
    r"|DataLoader worker|\b(OSError|EOFError|BrokenPipe\w*|BlockingIO\w*|Timeout\w*|Connection\w*)\b",
    re.IGNORECASE,
)
_USAGE: Final = re.compile(r"^(?:\S+: error|Error): (.+)$", re.MULTILINE)
_PLACE = re.compile(r" \(line \d+ of \S+\)$")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')


def said(outcome: Outcome, log: Path) -> str:
    """What a command of progtrain's own said at its end: the log's last paragraph; else as any script's failure."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    last = text.rstrip().rpartition("\n\n")[2].strip()
    own = outcome.exit_code == 1 and "Traceback (most recent call last)" not in last
    return shortened(last, LONGEST_PARAGRAPH) if own and last else summarise(outcome, log)


def usage_error(log: Path) -> str:
    """What argparse or click had to say of a script's arguments; empty where they said nothing."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    found = _USAGE.findall(text) if "usage:" in text.lower() else []
    return shortened(found[-1].rstrip(".")) if found else ""


def summarise(outcome: Outcome, log: Path) -> str:
    """The exception and the innermost line of the script it came from, else the last line of the log."""
    if outcome.timed_out:
        return f"it was ended after {outcome.seconds:.0f} s, its time limit"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    exception = next((line.strip() for line in reversed(lines) if _EXCEPTION.match(line.strip())), None)
    if exception is None:
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        return f"it ended with exit code {outcome.exit_code}: {shortened(last)}"
    return shortened(exception) + _where(lines)


def may_pass(reason: str) -> bool:
    """Whether the machine or the moment may be to blame, so that the same script may go well another time.

    Args:
        reason: as `summarise` gives it.
    """
    return _BY_CHANCE.search(reason) is not None


def without_place(reason: str) -> str:
    """A reason without the line it came from, which the next script may have elsewhere."""
    return _PLACE.sub("", reason)


def _where(lines: list[str]) -> str:
    frames = [match for line in lines if (match := _FRAME.match(line)) and "02_train_" in match["file"]]
    return f" (line {frames[-1]['line']} of {Path(frames[-1]['file']).name})" if frames else ""
