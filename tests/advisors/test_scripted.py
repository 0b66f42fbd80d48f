from progtrain.advisors.scripted import ScriptedAdvisor


def test_the_script_is_followed_one_action_a_version(make_proposal, make_attempt):
    advisor = ScriptedAdvisor(["adamw", "widen"])
    proposals = [make_proposal("add_dropout"), make_proposal("adamw"), make_proposal("widen")]
    history = [make_attempt("v001")]
    assert advisor.rank(proposals, [], history)[0].proposal.action == "adamw"
    history.append(make_attempt("v002", "adamw", "improved"))
    assert advisor.rank(proposals, [], history)[0].proposal.action == "widen"


def test_an_action_outside_the_script_is_not_offered(make_proposal, make_attempt):
    ranked = ScriptedAdvisor(["adamw"]).rank([make_proposal("widen")], [], [make_attempt("v001")])
    assert [entry.offered for entry in ranked] == [False]
