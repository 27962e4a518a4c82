"""A mark tells a living owner from a dead one, and leaves other machines' owners alone."""

import subprocess
import sys

from autograder.sandbox import owner


def test_a_living_owner_has_abandoned_nothing():
    assert not owner.abandoned(owner.mark())


def test_a_dead_owner_has():
    code = "from autograder.sandbox import owner; print(owner.mark())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert owner.abandoned(done.stdout.strip())


def test_a_number_that_is_used_again_is_another_process():
    place, pid, _start = owner.mark().split(" ")
    assert owner.abandoned(f"{place} {pid} 1")


def test_an_owner_elsewhere_cannot_be_judged():
    _place, pid, start = owner.mark().split(" ")
    assert not owner.abandoned(f"elsewhere/pid:[4026531836] {pid} {int(start) + 1}")


def test_what_is_no_mark_is_nobodys_to_remove():
    for text in ("", " ", "word", "two words", f"{owner.mark().split(' ')[0]} x y"):
        assert not owner.abandoned(text)
