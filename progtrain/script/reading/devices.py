"""Which devices this machine has, as far as that can be told without torch, which takes seconds to import."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final


def _has_cuda() -> bool:
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"))


def _has_mps() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


DEVICES: Final[Mapping[str, Callable[[], bool]]] = {
    "torch.cuda.is_available": _has_cuda,
    "torch.backends.mps.is_available": _has_mps,
}
"""What scripts ask for a device -> whether it is there. A wrong guess is found where the live value is another."""
