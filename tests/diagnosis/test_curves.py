"""Curve rules on curves whose fault is known because it was drawn."""

import math

import numpy as np
import pytest

from progtrain.diagnosis import RULES, diagnose
from progtrain.records import SchedulerSettings

SOUND = [2.3 * math.exp(-epoch / 3) + 0.1 for epoch in range(20)]
SOUND_VALID = [value + 0.05 for value in SOUND]


def test_a_settling_curve_has_no_finding_at_all(make_evidence):
    assert diagnose(make_evidence(SOUND, SOUND_VALID, [1 - value / 4 for value in SOUND])) == ()


def test_findings_come_most_severe_first(make_evidence):
    found = diagnose(make_evidence([2.3, math.nan], [2.3, 2.4], schedulers=()))
    assert [finding.name for finding in found][:2] == ["diverged", "constant-rate"]
    assert [f.severity for f in found] == sorted((f.severity for f in found), reverse=True)


def test_no_curves_no_curve_findings(make_evidence):
    assert diagnose(make_evidence()) == ()


def test_a_training_of_one_epoch_is_not_judged_by_its_curve(make_evidence):
    assert diagnose(make_evidence([2.0], [2.0])) == ()


@pytest.mark.parametrize(
    ("train", "valid", "expected"),
    [
        ([2.3, 9.0, 4000.0], [2.3, 80.0, 5000.0], "diverged"),
        (SOUND, [*SOUND_VALID[:-1], math.inf], "diverged"),
        ([4.0, 3.9, *SOUND[2:]], SOUND_VALID, "early-instability"),
        ([*SOUND[:10], 1.4, *SOUND[11:]], SOUND_VALID, "gradient-spikes"),
        (SOUND, [1.0 + 0.3 * (-1) ** epoch for epoch in range(20)], "oscillating"),
        (SOUND, [*SOUND_VALID[:13], 0.3, 0.2, 0.25, 0.34, 0.2, 0.31, 0.22], "late-jitter"),
        (SOUND, [*SOUND_VALID[:10], *np.linspace(0.3, 0.6, 10)], "overfitting"),
        ([1.9 + 0.4 * math.exp(-epoch) for epoch in range(20)],) * 2 + ("underfitting",),
        (np.linspace(2.3, 1.9, 20), np.linspace(2.3, 1.95, 20), "slow"),
        (np.linspace(2.3, 1.9, 20), np.linspace(2.3, 1.95, 20), "still-improving"),
        (SOUND, [0.9, 0.7, 0.5, *np.linspace(0.55, 0.9, 17)], "best-early"),
        (SOUND, [value + 0.02 * math.sin(epoch * math.tau / 4) for epoch, value in enumerate(SOUND_VALID)], "periodic"),
    ],
)
def test_a_drawn_fault_is_found(make_evidence, names, train, valid, expected):
    assert expected in RULES
    assert expected in names(make_evidence(list(train), list(valid)))


def test_swings_of_a_score_are_seen_where_the_loss_is_smooth(make_evidence, find):
    score = [0.8 + 0.04 * (epoch % 2) for epoch in range(20)]
    finding = find(make_evidence(SOUND, SOUND_VALID, score), "oscillating")
    assert finding is not None
    assert "val_acc" in finding.message


def test_a_loss_in_large_units_that_falls_has_not_diverged(make_evidence, names):
    losses = [5e4 * math.exp(-epoch) + 2e3 for epoch in range(10)]
    assert "diverged" not in names(make_evidence(losses, losses, task_type="regression", first_loss=9e4))


def test_late_jitter_says_whether_the_rate_decays(make_evidence, find):
    valid = [*SOUND_VALID[:13], 0.3, 0.2, 0.25, 0.34, 0.2, 0.31, 0.22]
    assert find(make_evidence(SOUND, valid), "late-jitter").numbers["rate_decays"] == 1
    assert find(make_evidence(SOUND, valid, schedulers=()), "late-jitter").numbers["rate_decays"] == 0


def test_a_wide_gap_at_a_standstill_is_overfitting_without_a_rise(make_evidence, find):
    valid = [*SOUND_VALID[:8], *[0.45] * 12]
    finding = find(make_evidence([value - 0.09 for value in SOUND], valid), "overfitting")
    assert finding is not None
    assert finding.numbers["train"] < 0.02


def test_a_gap_without_a_rise_is_benign(make_evidence, names):
    train = [max(value - 0.02, 0.1) for value in SOUND]
    level, rising = [*SOUND_VALID[:8], *[0.35] * 12], [*SOUND_VALID[:8], *np.linspace(0.35, 0.6, 12)]
    assert {"benign-gap", "overfitting"} & names(make_evidence(train, level)) == {"benign-gap"}
    assert {"benign-gap", "overfitting"} & names(make_evidence(train, rising)) == {"overfitting"}
    assert "benign-gap" not in names(make_evidence(train, [value + 0.08 for value in train]))


@pytest.mark.parametrize("unit", [1.0, 1e7])
def test_a_gap_is_none_where_losses_are_in_different_units(make_evidence, names, unit):
    fitted = [value - 0.09 for value in SOUND]
    gap, none = [*SOUND_VALID[:8], *[0.45] * 12], SOUND_VALID
    kinds = {"overfitting", "benign-gap", "underfitting"}
    assert kinds & names(make_evidence(fitted, [value * unit for value in gap])) == {"overfitting"}
    assert not kinds & names(make_evidence(SOUND, [value * unit for value in none]))
    flat = [1.9 + 0.4 * math.exp(-epoch) for epoch in range(20)]
    assert kinds & names(make_evidence(flat, [value * unit for value in flat])) == {"underfitting"}


def test_swings_while_a_decaying_rate_is_high_are_what_it_decays_for(make_evidence, names):
    swings = [0.5 + 0.1 * (-1) ** epoch for epoch in range(10)]
    valid = [*swings, *np.linspace(0.3, 0.2, 10)]
    assert "oscillating" not in names(make_evidence(SOUND, valid))
    assert "oscillating" in names(make_evidence(SOUND, valid, schedulers=()))
    assert "oscillating" in names(make_evidence(SOUND, valid[::-1]))


def test_a_loss_that_scatters_about_its_level_does_not_overfit(make_evidence, names):
    scatters = [0.26, 0.24, 0.26, 0.25, 0.23, 0.26, 0.24, 0.26, 0.25, 0.26]
    rises = [0.26, 0.25, 0.24, 0.235, 0.23, 0.235, 0.24, 0.25, 0.255, 0.26]
    for late, expected in ((scatters, False), (rises, True)):
        found = names(make_evidence([value + 0.1 for value in SOUND], [*SOUND_VALID[:10], *late]))
        assert ("overfitting" in found) is expected


def test_a_cyclic_schedule_makes_its_own_period(make_evidence, names):
    valid = [value + 0.02 * math.sin(epoch * math.tau / 4) for epoch, value in enumerate(SOUND_VALID)]
    restarts = SchedulerSettings(type="CosineAnnealingWarmRestarts", arguments={"T_0": 4})
    assert "periodic" not in names(make_evidence(SOUND, valid, schedulers=(restarts,)))


@pytest.mark.parametrize("seed", range(50))
def test_scatter_has_no_period(make_evidence, names, seed):
    noise = np.random.default_rng(seed).normal(0, 0.03, 20)
    assert "periodic" not in names(make_evidence(SOUND, SOUND_VALID + noise))


def test_what_never_learnt_has_no_early_best(make_evidence, names):
    flat, rising = [2.31, 2.31, 2.30, *[2.30] * 17], [2.30, 2.31, *[2.32] * 18]
    assert "best-early" not in names(make_evidence(flat, rising))
    assert "best-early" in names(make_evidence(SOUND, rising))


def test_a_layer_most_of_whose_units_are_dead(make_evidence, find):
    finding = find(make_evidence(dead_shares=(0.1, 0.75)), "dead-units")
    assert finding is not None
    assert "ReLU 2 of 2" in finding.message
    assert find(make_evidence(dead_shares=(0.1, 0.65)), "dead-units") is None
