"""Names that LMSs and Hubs give are students' names; what a table, a page or a terminal would obey is none."""

import pytest

from autograder.console import listed
from autograder.gradebook.names import LONGEST, confusable, did_you_mean, meant, refusal, shown

GIVEN = (
    "O'Brien", "D\u2019Arcy", "'t Hooft", "Lovelace, Ada", "ada+tutor@uni.edu", "Anne-Marie_2", "A. B. C.", "Smith (2)",
    "a#b", "R&D", "auth0|5f7c", "urn:x", "Jos\u00e9", "Jose\u0301", "\u0141uczak", "l\u00b7l", "uid=ada,ou=x",
    "\u674e\u96f7", "\u5c71\u7530\u3000\u592a\u90ce", "\u0645\u062d\u0645\u062f \u0639\u0644\u064a",
    "\u05d3\u05f4\u05e8", "\u0905\u0928\u0940\u0924\u093e", "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "\u0e2a\u0e21\u0e0a\u0e32\u0e22", "\u0663\u0664", "x" * LONGEST,
)  # fmt: skip
REFUSED = (
    "", ".", "..", ".ada", "-rf", "=1+1", "+1", "@SUM(1)", "ada,=1+1", "ada, -1", "ada\n", "a\tb", "\x1b[2J",
    "\u202eada", "ada\u2066", "ada\u200b", "\u200dada", "ada\xad", "\u0301a", "a" + "\u0301" * 9, "\u3164", "a\u3164",
    "\ud800", "a/b", "a\\b", "ada*", "ada?", "ada[1]", "<b>", 'a"', "a;b", "{{ 7 }}", "%s", "`a`", "ada ", " ada",
    "x" * (LONGEST + 1), "\U000e0041",
)  # fmt: skip


@pytest.mark.parametrize("name", GIVEN, ids=ascii)
def test_what_people_are_called_is_taken(name):
    assert refusal(name) == ""


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_what_could_act_is_refused_in_one_printable_line(name):
    told = refusal(name)
    assert "cannot be a student's name: it " in told
    assert told.endswith("rename the folder, then grade again")
    assert told.isprintable()


def test_a_name_is_shown_without_what_a_terminal_obeys():
    assert shown("a\x1b[2J\u202e\n") == r"'a\x1b[2J\u202e\n'"
    assert shown("\u3164") == r"'\u3164'"
    assert len(shown("x" * 10_000)) < 200


def test_ids_that_look_alike_are_told():
    assert confusable(["ada", "bob", "Jos\u00e9"]) == []
    case, form, space = confusable(["ada", "Ada", "Jos\u00e9", "Jose\u0301", "an na", "an\u3000na", "\uff21da"])
    assert "'Ada' and 'ada' and '\\uff21da'" in case
    assert "'Jose\\u0301' and 'Jos\\xe9'" in form
    assert "'an na' and 'an\\u3000na'" in space


def test_a_command_may_name_a_student_in_another_form_of_unicode():
    assert meant("Jos\u00e9", ["Jose\u0301", "ada"]) == "Jose\u0301"
    assert meant("Jos\u00e9", ["Jose\u0301", "Jos\u00e9"]) == "Jos\u00e9"
    assert meant("zoe", ["ada"]) == "zoe"


def test_a_name_with_an_apostrophe_is_in_double_quotes():
    assert shown("O'Brien, Zoë") == '"O\'Brien, Zoë"'


def test_a_list_of_students_can_be_read_back():
    assert listed(["Dana Müller", "O'Brien, Zoë", "ben", "Max and Moritz"]) == (
        "Dana Müller, \"O'Brien, Zoë\", ben, 'Max and Moritz'"
    )
    assert listed(["a,b", "c\x1b[2J"]) == r"'a,b', c\x1b[2J"
    assert listed([f"s{i}, x" for i in range(25)]).endswith("'s19, x' and 5 more")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("zoe", "; did you mean 'Zoë' or \"O'Brien, Zoë\"?"),
        ("obrien", '; did you mean "O\'Brien, Zoë"?'),
        ("Ada", "; did you mean 'ada'?"),
        ("adda", "; did you mean 'ada'?"),
        ("be", "; did you mean 'ben'?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_the_students_that_may_be_meant(wanted, told):
    assert did_you_mean(wanted, ["ada", "O'Brien, Zoë", "Zoë", "ben"]) == told
