"""The table of system calls in the documents is that of the filter; no call is in two groups."""

from __future__ import annotations

from collections import Counter

from sandboxed import REPOSITORY

from autograder.inside import syscalls

TABLES = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8").splitlines()


def test_the_documents_list_each_group_with_its_reason_and_calls():
    for name, group in {**syscalls.ALLOWED, **syscalls.DENIED}.items():
        assert f"| {name} | {group.reason} | {' '.join(f'`{call}`' for call in group.names)} |" in TABLES


def test_no_call_is_named_twice():
    groups = [*syscalls.ALLOWED.values(), *syscalls.DENIED.values()]
    named = Counter([*(name for group in groups for name in group.names), *syscalls.OWN, *syscalls.LOCAL, "clone"])
    assert [name for name, times in named.items() if times > 1] == []
