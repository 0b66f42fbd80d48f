import dataclasses

import pytest

from progtrain.errors import EditError
from progtrain.script.editing.versioning import (
    Header,
    apply_edits,
    body,
    get_constant,
    set_constant,
    undo_edits,
    unified_diff,
    with_header,
)

HEADER = Header(
    version="v002",
    parent="v001",
    action="adamw",
    goal="Make more progress in the same epochs, with steps scaled to the gradients of each weight,\nin short",
    change="SGD becomes AdamW",
    expected="Both losses fall faster --- end of header ---",
)
SCRIPTS = [
    '"""Doc."""\nVERSION = "v001"\n',
    '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n"""Doc."""\nVERSION = "v001"\n',
    "#!/usr/bin/env python\r\nVERSION = 'v001'\r\n",
    '\ufeff# a comment of the user\nVERSION = "v001"',
    "# a comment that says coding: nothing\nVERSION = 'v001'\n",
    "",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_header_is_taken_off_byte_for_byte(script):
    versioned = with_header(script, HEADER)

    assert body(versioned) == script
    assert body(script) == script
    compile(versioned.removeprefix("\ufeff"), "script", "exec")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_header_stands_before_everything_else_and_names_both_versions(script):
    lines = with_header(script, HEADER).splitlines()

    before = [line for line in script.splitlines()[:2] if line.startswith("#!") or "coding: " in line]
    first = lines[len(before)].removeprefix("\ufeff")
    assert lines[: len(before)] == before
    assert "v002" in first
    assert "v001" in first


def test_constants_keep_their_quotes():
    source = "VERSION = 'v001'  # this one\n"

    assert set_constant(source, "VERSION", "v002") == "VERSION = 'v002'  # this one\n"
    assert get_constant(source, "VERSION") == "v001"
    assert get_constant(source, "DATASET_ID") is None


@pytest.mark.parametrize("source", ["x = 1\n", "VERSION = 1\n", 'VERSION = "a"\nVERSION = "b"\n'])
def test_a_constant_that_is_not_there_once_is_not_set(source):
    with pytest.raises(EditError, match="VERSION"):
        set_constant(source, "VERSION", "v002")


OLD = 'VERSION = "v001"\nLR = 0.1\n\n\ndef f():\n    return LR\n'
NEW = 'VERSION = "v002"\nLR = 0.3\nWD = 0.1\n\n\ndef f():\n    return LR\n\nprint(1)'


@pytest.mark.parametrize(("parent", "grandparent"), [(NEW, OLD), (OLD, NEW), (NEW, NEW)])
def test_taking_back_gives_the_grandparent_under_the_parents_version(parent, grandparent):
    edits = undo_edits(parent, grandparent)

    assert apply_edits(parent, edits) == set_constant(grandparent, "VERSION", str(get_constant(parent, "VERSION")))


def test_a_script_without_version_is_taken_back_too():
    assert apply_edits("a\n", undo_edits("a\n", "b\nc\n")) == "b\nc\n"


def test_edits_do_not_fit_a_script_that_was_changed_since():
    edits = undo_edits(NEW, OLD)

    with pytest.raises(EditError, match="by hand"):
        apply_edits(NEW.replace("0.3", "0.4"), edits)


def test_edits_of_another_shape_are_refused():
    with pytest.raises(EditError, match="undo_edits"):
        apply_edits(NEW, ["nonsense"])


def test_a_diff_is_one_line_a_change():
    assert unified_diff("a\nb\n", "a\nc", "v001", "v002").splitlines()[2:] == ["@@ -1,2 +1,2 @@", " a", "-b", "+c"]


def test_a_version_made_from_an_earlier_one_names_the_one_before_it_too():
    made = with_header(SCRIPTS[0], dataclasses.replace(HEADER, version="v009", parent="v007"))
    assert made.startswith("# --- progtrain: version v009 after v008, made from v007 ---\n")
    assert with_header(SCRIPTS[0], HEADER).startswith("# --- progtrain: version v002, made from v001 ---\n")
    assert body(made) == SCRIPTS[0]
    first = dataclasses.replace(HEADER, version="v001", parent="baseline")
    assert with_header(SCRIPTS[0], first).startswith("# --- progtrain: version v001, made from baseline ---\n")
