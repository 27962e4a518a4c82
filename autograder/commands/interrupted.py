"""Messages after Ctrl-C: what an interrupted command has kept, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and SIGINT."""
RESUMED = "what was graded is kept; the same command goes on from there"
NOTHING = "nothing was recorded"
RUN_AGAIN = "the others keep their earlier result: the same command, with --force, runs all again"


class RunInterruptedError(Exception):
    """Ctrl-C ended a run over a class. The text says what was kept; none of `AutograderError`, so nothing goes on."""


def kept(arguments: Sequence[str]) -> str:
    """Return what a command has kept, by its arguments alone: Ctrl-C came before or after its submissions ran."""
    if arguments[:1] != ["grade"]:
        return ""
    if "--dry-run" in arguments:
        return NOTHING
    return f"what was run again is kept; {RUN_AGAIN}" if "--force" in arguments else RESUMED


def run_kept(counts: Sequence[tuple[str, int, int]], *, force: bool, dry_run: bool) -> str:
    """Return what an interrupted run has kept.

    Args:
        counts: for each assignment that was begun its name, how many submissions were run, and of how many.
        force: whether it was to run again what had been graded before.
        dry_run: whether it records anything.
    """
    if dry_run:
        return NOTHING
    if not force:
        return RESUMED
    told = ", ".join(f"{run} of {total}{f' of {name}' if len(counts) > 1 else ''}" for name, run, total in counts)
    return f"{told} were run again; {RUN_AGAIN}"
