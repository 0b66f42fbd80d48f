"""Run the loop, two versions of it, on every script of tests/corpus, and keep what became of each.

    python scripts/corpus_loops.py FOLDER [NAME ...] [--jobs 2]

Every script gets a workspace below FOLDER. Outcome: *report*, the loop ended with its report; *refused*, nothing was
trained and a message says why; *fault*, anything else. A script that has not changed is not run there again, so a run
that was cut off goes on. With no names given, `tests/corpus/loops.json` is written, which docs/coverage.md tells of.
Exit status 0 where there is no fault. About a minute a script on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.corpus.loops import RECORD, Loop, run_loop  # noqa: E402
from tests.corpus.trials import scripts  # noqa: E402


def main() -> int:
    """Run them; 1 where there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    folder = options.folder.resolve()

    def run(name: str) -> Loop:
        loop = run_loop(name, folder)
        print(f"{loop.script:28} {loop.outcome:8} {loop.reason}", flush=True)
        return loop

    with ThreadPoolExecutor(options.jobs) as pool:
        loops = list(pool.map(run, options.names or scripts()))
    if not options.names:
        RECORD.write_text(json.dumps([asdict(loop) for loop in loops], indent=1) + "\n", encoding="utf-8")
    return int(any(loop.outcome == "fault" for loop in loops))


if __name__ == "__main__":
    sys.exit(main())
