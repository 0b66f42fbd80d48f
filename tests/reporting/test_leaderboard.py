import csv
import io

import pytest

from progtrain.errors import ReportError
from progtrain.reporting.console import format_leaderboard
from progtrain.reporting.leaderboard import Candidate, build_leaderboard


def candidate(version, score, **changes):
    return Candidate(version, score, changes.pop("path", f"../../Artifacts/{version}/best.ckpt"), **changes)


def rows(board):
    return list(csv.DictReader(io.StringIO(board.to_csv())))


def order(board):
    return [row.version_id for row in board.rows]


@pytest.mark.parametrize(("higher", "expected"), [(True, ["v002", "v001", "v003"]), (False, ["v003", "v001", "v002"])])
def test_the_direction_is_the_metrics_own(make_score, higher, expected):
    values = {"v001": 0.5, "v002": 0.9, "v003": 0.1}
    board = build_leaderboard([candidate(v, make_score(("m", x, higher))) for v, x in values.items()], "m")
    assert order(board) == expected
    assert board.best == expected[0]


def test_of_equal_values_the_earlier_version_stands_first(make_score):
    same = [candidate(v, make_score(("acc", 0.5, True))) for v in ("v001", "v002", "v003")]
    assert order(build_leaderboard(same, "acc")) == ["v001", "v002", "v003"]


def test_a_version_that_is_too_slow_is_ranked_but_not_the_best(make_score):
    board = build_leaderboard(
        [
            candidate("v001", make_score(("acc", 0.5, True), latency_ms=1)),
            candidate("v002", make_score(("acc", 0.9, True), latency_ms=9)),
            candidate("v003", None),
        ],
        "acc",
        max_latency_ms=5,
    )
    assert order(board) == ["v002", "v001", "v003"]
    assert board.best == "v001"
    assert board.barred == {"v002"}
    assert "v002 is ranked but not promoted: one answer takes 9 ms" in board.warnings[-1]
    assert rows(board)[1]["artifact_relpath"] == "Artifacts/v001/best.ckpt"


def test_where_all_are_too_slow_the_first_heads_the_report(make_score):
    board = build_leaderboard([candidate("v001", make_score(("acc", 0.5, True), latency_ms=9))], "acc", 5)
    assert (board.best, board.barred) == ("v001", {"v001"})


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_version_without_the_primary_metric_is_last_with_an_empty_cell_and_a_warning(make_score, value):
    board = build_leaderboard(
        [candidate("v001", make_score(("acc", value, True))), candidate("v002", make_score(("acc", 0.1, True)))], "acc"
    )
    assert order(board) == ["v002", "v001"]
    assert rows(board)[1]["metric__acc"] == ""
    assert any("v001" in warning for warning in board.warnings)


def test_the_reason_for_having_no_primary_metric_stands_in_the_warning(make_score):
    given = candidate("v001", make_score(("acc", None, True)), reasons={"acc": "all targets are the same"})
    board = build_leaderboard([given], "acc")
    assert board.warnings == ("v001 has no value of the primary metric 'acc' (all targets are the same): ranked last",)


def test_columns_are_exactly_the_written_ones(make_score):
    board = build_leaderboard(
        [
            candidate("v001", make_score(("loss", 0.5, False), ("wer", 0.2, False))),
            candidate("v002", make_score(("loss", 0.4, False), ("loss", 0.3, False), latency_ms=87.0)),
        ],
        "loss",
    )
    head = board.to_csv().splitlines()[0]
    assert head == (
        "version_id,dataset_id,created_at,latency_ms,artifact_relpath,metric__loss,metric__wer,metric__loss__2"
    )
    first, second = rows(board)
    assert (first["version_id"], first["latency_ms"], first["metric__loss__2"]) == ("v002", "87", "0.3")
    assert first["metric__wer"] == second["metric__loss__2"] == ""


def test_values_survive_to_the_last_digit(make_score):
    value = 0.22749999165534973
    board = build_leaderboard([candidate("v001", make_score(("acc", value, True)))], "acc")
    assert float(rows(board)[0]["metric__acc"]) == value


def test_only_the_best_version_lies_in_the_report(make_score):
    board = build_leaderboard(
        [
            candidate("v001", make_score(("acc", 0.5, True))),
            candidate("v002", make_score(("acc", 0.7, True))),
            candidate("other", make_score(("acc", 0.9, True)), path="../../external/other", external=True),
            candidate("silent", None, path="../../external/silent", external=True),
        ],
        "acc",
    )
    assert order(board) == ["other", "v002", "v001", "silent"]
    assert board.best == "v002"
    assert [row.artifact_relpath for row in board.rows] == [
        "../../external/other",
        "Artifacts/v002/best.ckpt",
        "../../Artifacts/v001/best.ckpt",
        "../../external/silent",
    ]
    assert board.warnings == ("silent was not evaluated: ranked last, without metrics",)


def test_disagreeing_directions_are_a_warning(make_score):
    board = build_leaderboard(
        [candidate("v001", make_score(("m", 0.5, True))), candidate("v002", make_score(("m", 0.7, False)))], "m"
    )
    assert "disagree" in board.warnings[0]


def test_the_terminal_table_is_aligned_with_the_primary_metric_first(make_score):
    board = build_leaderboard([candidate("v001", make_score(("loss", 1.5, False), ("acc", 0.5, True)))], "acc")
    head, line = format_leaderboard(board).splitlines()
    assert head.split() == ["#", "version", "acc*", "loss", "ms"]
    assert line.split() == ["1", "v001", "0.5", "1.5", "0.5"]


def test_models_from_elsewhere_alone_have_no_best_version(make_score):
    board = build_leaderboard([candidate("other", make_score(("acc", 0.9, True)), external=True)], "acc")
    with pytest.raises(ReportError, match="at least one version"):
        _ = board.best
