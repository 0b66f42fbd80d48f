"""The leaderboard as a table for the terminal."""

from __future__ import annotations

from progtrain.reporting.leaderboard import Leaderboard
from progtrain.reporting.rendering import number


def format_leaderboard(board: Leaderboard) -> str:
    """Rank, version, every metric (the primary one first and marked), and latency; columns aligned."""
    primary = f"metric__{board.primary}"
    columns = sorted(board.columns, key=lambda column: column != primary)
    head = ["#", "version", *(c.removeprefix("metric__") + ("*" if c == primary else "") for c in columns), "ms"]
    lines = [head]
    for rank, row in enumerate(board.rows, start=1):
        values = dict(row.metrics)
        lines.append([str(rank), row.version_id, *(number(values.get(c)) for c in columns), number(row.latency_ms)])
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 1 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
