"""Names of students: which can be graded safely, which are easily confused, and which one a command means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from autograder.model.wording import one_line

LONGEST: Final = 128
"""Characters of a name: the width of nbgrader's column `student.id`."""
PUNCTUATION: Final = frozenset(
    "._-+@ ,'()#&!~:|$=\u2019\u2018\u055a\u00b7\u05be\u05f3\u05f4\u2010\u2011\u2013\u30fb\u00b4"
)
"""Allowed besides letters, marks, digits and spaces: what LMSs, Hubs and people put into names."""
APOSTROPHES: Final = "'\u2019\u2018"
JOINERS: Final = "\u200c\u200d"
"""Part of words in Persian, Hindi or Sinhala: allowed after a letter or a mark."""
BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
"""Letters and marks that show nothing."""
MARKS: Final = 8
"""Marks in a row; no script needs as many."""

_SEPARATOR = re.compile(r",| and |^['\"]")
_FORMULA = re.compile(r"(^|,)\s*[=+@-]")
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Zs", "Pc"})
_FIRST = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No"})
_NBGRADER = "*?[]\\"
_ADVICE = "rename the folder, then grade again"


def refusal(name: str) -> str:
    """Why a folder of this name cannot be graded as a student's, and what to do; empty where it can be.

    Paths, tables, spreadsheets, web pages and terminals show a student's name as it is, and nbgrader finds folders by
    it: it must be text that none of these takes for anything else.
    """
    if reason := _refused(name):
        return f"{shown(name)} cannot be a student's name: {reason}: {_ADVICE}"
    return ""


def shown(name: str) -> str:
    """A name in quotes, with escapes in place of what a terminal would obey or not show."""
    told = one_line("".join(ascii(each)[1:-1] if each in BLANK else each for each in name[: LONGEST + 1]), LONGEST)
    quote = '"' if "'" in told and '"' not in told else "'"
    return f"{quote}{told}{quote}"


def in_list(name: str) -> str:
    """A name for a list with commas between: in quotes where a part of it could be taken for another name."""
    quoted = shown(name)
    return quoted if _SEPARATOR.search(name) else quoted[1:-1]


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown student: the names most like it, at most three; empty where none is."""
    folded = {name: _plain_letters(name) for name in sorted(names)}
    asked = _plain_letters(wanted)
    alike = [name for name, letters in folded.items() if asked and asked == letters]
    alike += [name for name, letters in folded.items() if asked in letters.split()]
    close = [] if alike else get_close_matches(asked, folded.values(), 3)
    alike += [name for letters in close for name in folded if folded[name] == letters]
    told = " or ".join(map(shown, list(dict.fromkeys(alike))[:3]))
    return f"; did you mean {told}?" if told else ""


def confusable(names: Iterable[str]) -> list[str]:
    """A line for each group of names that differ only in case, in Unicode's form, or in how spaces are written."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(_folded(name), []).append(name)
    return [
        f"{' and '.join(ascii(name) for name in group)} differ only in case or in how Unicode writes them: they are "
        "graded as different students; where they are one, keep one folder"
        for group in groups.values()
        if len(group) > 1
    ]


def meant(wanted: str, names: Collection[str]) -> str:
    """The one of `names` that a command's `wanted` stands for: itself, else the only one of the same Unicode text."""
    if wanted not in names:
        alike = [name for name in names if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", wanted)]
        if len(alike) == 1:
            return alike[0]
    return wanted


def _refused(name: str) -> str:
    return _refused_as_a_whole(name) or next(filter(None, (_refused_at(name, each) for each in range(len(name)))), "")


def _refused_as_a_whole(name: str) -> str:
    categories = [unicodedata.category(each) for each in name]
    if not name or name[0] in "=+-@." or _FORMULA.search(name):
        return "it begins with a sign that makes it a formula, an option or a hidden folder (or has one after a comma)"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and nbgrader's gradebook keeps {LONGEST}"
    if "Cs" in categories:
        return "it is not text in UTF-8"
    if categories[-1] == "Zs" or (categories[0] not in _FIRST and name[0] not in APOSTROPHES + "_"):
        return "it has to begin with a letter, a digit, _ or an apostrophe, and must not end with a space"
    if "M" * (MARKS + 1) in "".join(category[0] for category in categories):
        return f"it has more than {MARKS} marks on one letter"
    return ""


def _refused_at(name: str, position: int) -> str:
    """Why the character at a position cannot be there; empty where it can."""
    character = name[position]
    if character in JOINERS:
        is_inside = unicodedata.category(name[position - 1])[0] in "LM"
        return "" if is_inside else f"it has U+{ord(character):04X}, which shows nothing there"
    if character in _NBGRADER:
        return f"it has {character}, which nbgrader reads as a pattern"
    if character in BLANK or (unicodedata.category(character) not in _LETTERS and character not in PUNCTUATION):
        told = character if character.isprintable() and character not in BLANK else f"U+{ord(character):04X}"
        return f"it has {told}; expected letters of any script, digits, spaces and . _ - + @ , ' ( ) # & ! ~ : |"
    return ""


def _plain_letters(name: str) -> str:
    """A name as people type it in a hurry: small letters without marks, words with one space between."""
    split = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(each for each in split if not unicodedata.combining(each) and each not in APOSTROPHES)
    return " ".join(re.sub(r"[\W_]+", " ", kept).split())


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(each for each in folded if each not in JOINERS).split())
