"""04_final_report.py, which the loop writes once and a person may run and edit."""

from __future__ import annotations

from progtrain.reporting.rendering import render


def render_report_script() -> str:
    """The script's text."""
    return render("04_final_report.py.j2")
