"""A student's own numbers: the same everywhere and always, in range, and a question worth asking for everyone."""

import getpass
from itertools import product
from subprocess import run
from sys import executable

import pytest

from course.personal import QUESTIONS, numbers, own_name


def combinations(exercise):
    """Every set of numbers that somebody may get."""
    ranges = QUESTIONS[exercise]
    return (dict(zip(ranges, values, strict=True)) for values in product(*ranges.values()))


def test_the_numbers_of_a_name_never_change():
    # handed-in answers rest on these: a change here makes right answers of a running course wrong
    assert numbers("input_sides", "ada") == {
        "output": 19, "kernel_size": 3, "padding": 3, "stride": 3, "dilation": 2,
    }  # fmt: skip


@pytest.mark.parametrize("seed", ["0", "1"])
def test_they_do_not_depend_on_the_process(seed):
    code = "from course.personal import numbers; print(numbers('network', 'ada'))"
    told = run([executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(numbers("network", "ada"))


@pytest.mark.parametrize("exercise", QUESTIONS)
def test_they_are_in_range_and_every_value_is_drawn(exercise):
    drawn = [numbers(exercise, f"student{n}") for n in range(1500)]
    for key, values in QUESTIONS[exercise].items():
        assert {draw[key] for draw in drawn} == set(values)
    assert all(type(value) is int for draw in drawn for value in draw.values())


def test_neighbours_get_different_numbers():
    assert len({tuple(numbers("bottleneck", f"student{n}").values()) for n in range(30)}) > 25


def test_the_student_is_by_default_the_hubs_user(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "grace")
    assert numbers("depth") == numbers("depth", "grace")


def test_a_name_is_the_same_in_every_form_of_unicode():
    composed, apart = "Jos\u00e9", "Jose\u0301"
    assert numbers("network", composed) == numbers("network", apart)


@pytest.mark.parametrize("hub", [None, ""])
def test_without_a_hub_it_is_the_account(monkeypatch, hub):
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    if hub is not None:
        monkeypatch.setenv("JUPYTERHUB_USER", hub)
    monkeypatch.setattr(getpass, "getuser", lambda: "alan")
    assert own_name() == "alan"
    assert numbers("depth") == numbers("depth", "alan")


def test_an_unknown_exercise_is_named():
    with pytest.raises(ValueError, match="no exercise 'sizes' draws numbers: there are input_sides, depth"):
        numbers("sizes", "ada")


def test_every_input_side_is_positive_and_its_window_fits():
    for n in combinations("input_sides"):
        span = n["dilation"] * (n["kernel_size"] - 1) + 1
        smallest = (n["output"] - 1) * n["stride"] + span - 2 * n["padding"]
        assert smallest > 0
        assert n["padding"] < span


def test_no_field_is_hit_exactly():
    for n in combinations("depth"):
        stem = n["stem_kernel"] + 2 * n["stem_stride"]
        each = 2 * n["stem_stride"] * (n["kernel_size"] - 1)
        assert n["field"] - stem > 2 * each
        assert (n["field"] - stem) % each


def test_every_bottleneck_saves_weights():
    for n in combinations("bottleneck"):
        taps = n["kernel_size"] ** 2
        narrow = n["reduced"] * (n["in_channels"] + taps * n["out_channels"])
        assert narrow < n["in_channels"] * n["out_channels"] * taps


def test_both_poolings_of_every_network_leave_a_row_over():
    for n in combinations("network"):
        assert (n["side"] - 2) % 4 == 3
