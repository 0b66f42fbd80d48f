"""docs/repairs.md: the catalogue of repairs."""

from __future__ import annotations

from collections.abc import Iterable

from progtrain.repairs import Repair

_HEAD = """\
# Repairs

`progtrain repairs` makes this page. A script that fails in one of these ways is repaired: the baseline before anything
is trained, where the failure is seen on the way to `Trainer.fit` or in the first step, and a version whose training
ended so. The repaired script is captured once more; a repair that changes anything else than it may, or a knob that
the rules hold, is not made. `baseline_patch_report.md` and `train_retry_report.md` tell of it.
"""


def render_repairs_page(repairs: Iterable[Repair]) -> str:
    """The page.

    Args:
        repairs: in the order in which they are to be listed.
    """
    rows = ["| repair | the failure | what is done | knobs |", "|---|---|---|---|"]
    for repair in repairs:
        done = (type(repair).__doc__ or "").strip().rstrip(".")
        rows.append(f"| `{repair.name}` | {repair.cause} | {done} | {', '.join(sorted(repair.touches)) or '-'} |")
    return _HEAD + "\n" + "\n".join(rows) + "\n"
