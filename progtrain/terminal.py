"""Lines for the person at the terminal, and one live line that replaces itself where there is one."""

from __future__ import annotations

from typing import TextIO

WIDTH = 110


class Terminal:
    """Writes to a stream; a stream that is no terminal gets whole lines only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._shown = ""

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.progress("")
        print(line, file=self._stream, flush=True)

    def progress(self, line: str) -> None:
        """Show a line in place of the last one; an empty one leaves the last standing and ends it."""
        if line:
            self._shown = line[:WIDTH]
            if self._live:
                print("\r\x1b[K" + self._shown, end="", file=self._stream, flush=True)
        elif self._shown:
            print("" if self._live else self._shown, file=self._stream, flush=True)
            self._shown = ""
