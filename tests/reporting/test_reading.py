from dataclasses import replace

from progtrain.curves import Curves, Point
from progtrain.records import Comparison
from progtrain.reporting.evidence import Answers, ConfusionLine, EditTotals
from progtrain.reporting.groups import Group, GroupLine
from progtrain.reporting.reading import how_sure, hypotheses_of, read_of_curves, won_and_lost

UNSURE = Comparison(metric="accuracy", difference=0.01, low=-0.03, high=0.05, verdict="within noise", probability=0.7)


def test_a_difference_within_noise_comes_with_the_samples_it_would_take():
    said = how_sure(UNSURE, 200)
    assert "probability that it is better: 70.0 %" in said
    assert "to tell a difference of this size from noise takes about 3,200 samples" in said


def test_a_sure_difference_needs_no_more_samples():
    sure = UNSURE.model_copy(update={"low": 0.005, "verdict": "improved", "probability": 1.0})
    assert how_sure(sure, 200)[-1] == "probability that it is better: above 99.9 %"
    assert how_sure(UNSURE.model_copy(update={"difference": None}), 200) == ()


def test_won_and_lost_are_said_with_their_noise():
    group = Group("class", "recall", True, (GroupLine("3", 40, 0.9, 0.6, 0.08), GroupLine("5", 38, 0.5, 0.8, 0.07)))
    won, lost = won_and_lost(group)
    assert won == "Won most: class 3 (40 samples): recall 0.6 → 0.9 (+0.3 ± 0.08)"
    assert lost.startswith("Lost most: class 5")
    assert "trades one class for another" in hypotheses_of(Answers(group=group))[0]
    quiet = replace(group, lines=(GroupLine("3", 40, 0.61, 0.6, 0.08),))
    assert "No class changed" in won_and_lost(quiet)[0]


def test_curves_are_read_with_their_numbers():
    def points(*values):
        return tuple(Point(epoch, epoch, value) for epoch, value in enumerate(values))

    valid = points(2.0, 1.0, 0.5, 0.6, 0.8, 1.0, 1.0, 1.0, 1.2, 1.5)
    said = read_of_curves(Curves({"val_loss": valid, "train_loss": points(*[1 / (n + 1) for n in range(10)])}))
    assert said == (
        "The validation loss is best at epoch 2 of 0 to 9: 0.5; it ends at 1.5 (+200.0%)",
        "Over the last 2 epochs it rises (+50.0%)",
        "The training loss ends at 0.1, the gap to validation is +1.4",
    )
    assert read_of_curves(Curves({})) == ()


def test_hypotheses_follow_from_what_goes_wrong():
    confused = Answers(confusions=(ConfusionLine("4", "9", 12, 3), ConfusionLine("9", "4", 8, 3)), wrong=40)
    assert hypotheses_of(confused) == (
        "4 and 9 make up 50% of all 40 wrong answers: the model lacks what tells these two apart.",
    )
    cut = Answers(edits=EditTotals(1, 8, 1), confusions=(ConfusionLine("a", "", 8, None),), wrong=10)
    assert hypotheses_of(cut)[0].startswith("80% of all 10 edits are lost characters")
    biased = Answers(bias=0.5, bias_error=0.1)
    assert "0.5 ± 0.1 too high on average" in hypotheses_of(biased)[0]
    assert hypotheses_of(replace(biased, bias=0.1)) == ()
