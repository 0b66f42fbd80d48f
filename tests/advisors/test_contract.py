"""What every advisor must keep, run against each of them."""

import itertools

import pytest

from progtrain.advisors import Advisor
from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.advisors.scripted import ScriptedAdvisor


@pytest.fixture(params=["by_rule", "scripted"])
def advisor(request) -> Advisor:
    return RuleAdvisor() if request.param == "by_rule" else ScriptedAdvisor(["adamw", "widen", "add_dropout"])


@pytest.fixture
def proposals(make_proposal):
    return [
        make_proposal("widen", touches=("width",), answers="underfitting"),
        make_proposal("add_dropout"),
        make_proposal("adamw", touches=("optimizer", "lr"), answers="plain-sgd"),
    ]


@pytest.fixture
def findings(make_finding):
    return [make_finding("plain-sgd", 0.8), make_finding("overfitting", 0.5)]


def test_every_proposal_comes_back_once_and_unaltered(advisor, proposals, findings, make_attempt):
    ranked = advisor.rank(proposals, findings, [make_attempt("v001")])
    assert len(ranked) == len(proposals)
    assert all(any(entry.proposal is proposal for entry in ranked) for proposal in proposals)


def test_offered_ones_come_first_and_scores_fall(advisor, proposals, findings, make_attempt):
    ranked = advisor.rank(proposals, findings, [make_attempt("v001"), make_attempt("v002", "adamw", "regressed")])
    offered = [entry.score for entry in ranked if entry.offered]
    assert [entry.offered for entry in ranked] == sorted((e.offered for e in ranked), reverse=True)
    assert offered == sorted(offered, reverse=True)


def test_the_order_in_which_proposals_arrive_does_not_matter(advisor, proposals, findings, make_attempt):
    rankings = {
        advisor.rank(order, findings, [make_attempt("v001")])[0].proposal.action
        for order in itertools.permutations(proposals)
    }
    assert len(rankings) == 1


def test_every_standing_has_a_reason(advisor, proposals, findings):
    assert all(entry.reason for entry in advisor.rank(proposals, findings, []))


def test_nothing_proposed_nothing_ranked(advisor, findings, make_attempt):
    assert advisor.rank([], findings, [make_attempt("v001")]) == ()


def test_the_inputs_are_left_as_they_are(advisor, proposals, findings, make_attempt):
    history = [make_attempt("v001")]
    before = (list(proposals), list(findings), list(history))
    advisor.rank(proposals, findings, history)
    assert (proposals, findings, history) == before
