"""An attempt that was graded is found again, and only by what its verdict rests on."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from autograder.errors import UsageError
from autograder.jobs.store import Attempt, AttemptStore, key_of
from autograder.model.report import CheckResult, Provenance, Report

PROVENANCE = Provenance("a" * 64, "b" * 64, "image", "seed", "0.1")
REPORT = Report("ada", "convolution", "graded", (CheckResult("one", "conv2d", 4, "pass"),), PROVENANCE, 1.5)
ATTEMPT = Attempt(REPORT, '{"cells": ["\N{SNOWMAN}"]}')
KEY = key_of("ada", "convolution", PROVENANCE)


@pytest.fixture
def store(tmp_path):
    opened = AttemptStore(f"sqlite:///{tmp_path / 'attempts.db'}")
    yield opened
    opened.close()


def test_an_attempt_is_found_as_it_was_kept(store):
    assert store.put(ATTEMPT) == KEY
    assert store.find(KEY) == ATTEMPT


def test_an_attempt_outlives_the_process_that_kept_it(store, tmp_path):
    store.put(ATTEMPT)
    store.close()
    again = AttemptStore(f"sqlite:///{tmp_path / 'attempts.db'}")
    assert again.find(KEY) == ATTEMPT
    again.close()


def test_an_unknown_attempt_is_none(store):
    assert store.find(KEY) is None


def test_a_failed_attempt_is_to_be_graded_again(store):
    key = store.put(replace(ATTEMPT, report=replace(REPORT, status="failed", error="the engine is gone")))
    assert store.find(key) is None


def test_a_later_attempt_of_the_same_key_replaces_the_earlier(store):
    store.put(replace(ATTEMPT, report=replace(REPORT, status="failed")))
    store.put(ATTEMPT)
    later = replace(ATTEMPT, report=REPORT.timed(9.0))
    store.put(later)
    assert store.find(KEY) == later


@pytest.mark.parametrize("field", [field.name for field in fields(Provenance)])
def test_whatever_a_verdict_rests_on_makes_another_attempt(field):
    assert key_of("ada", "convolution", replace(PROVENANCE, **{field: "changed"})) != KEY


def test_another_student_or_assignment_makes_another_attempt():
    assert len({KEY, key_of("alan", "convolution", PROVENANCE), key_of("ada", "pooling", PROVENANCE)}) == 3


def test_the_gradebook_holds_one_attempt_of_a_student_for_an_assignment(store):
    others = {
        "resubmitted": replace(REPORT, provenance=replace(PROVENANCE, submission_sha256="c" * 64)),
        "of another": replace(REPORT, student="alan"),
        "for another": replace(REPORT, assignment="pooling"),
    }
    keys = {name: store.put(Attempt(report, "{}", recorded=True)) for name, report in others.items()}
    store.put(ATTEMPT)
    store.mark_recorded(KEY)
    recorded = {name for name, key in {**keys, "this": KEY}.items() if store.find(key).recorded}
    assert recorded == {"this", "of another", "for another"}


def test_a_store_in_no_folder_is_the_operators_error(tmp_path):
    with pytest.raises(UsageError, match="store of attempts"):
        AttemptStore(f"sqlite:///{tmp_path / 'nowhere' / 'attempts.db'}")


def test_a_file_that_is_no_database_is_the_operators_error(tmp_path):
    (tmp_path / "attempts.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UsageError, match="not a database"):
        AttemptStore(f"sqlite:///{tmp_path / 'attempts.db'}")
