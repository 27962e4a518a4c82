"""The table attack x sandbox: on a terminal, in README.md by line of the threat model, in docs/security.md in full."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Outcomes = dict[tuple[int, str], dict[str, str]]
"""By line and name of the attack, by sandbox: `held`, `NOT HELD`, or why it does not apply."""
COLUMNS = {
    "docker": "docker",
    "docker, userns": "docker with user namespaces",
    "bwrap": "bwrap",
    "bwrap, no root": "bwrap without root",
}
TOLD = "outcome: "
HELD, LOST = "held", "NOT HELD"
TITLES = {
    1: "answers that agree with everything",
    2: "IPython transformers",
    3: "patched libraries",
    4: "a walk through frames and objects",
    5: "forged ends of the kernel",
    6: "pickles",
    7: "processes that outlive it",
    8: "forged results in what it prints, planted modules",
    9: "forged Jupyter messages",
    10: "answers that change",
    11: "changed cells and metadata",
    12: "hard-coded examples",
    13: "reading files, variables, processes",
    14: "fishing in the feedback",
    15: "the network",
    16: "left-overs of the submission before",
    17: "bombs: processes, memory, disk",
    18: "endless loops",
    19: "floods",
    20: "files that are no notebooks",
    21: "sockets, links, races with the clean-up",
    22: "signals",
    23: "active content in pages",
    24: "active content in terminals and tables",
    25: "a GPU: its memory, its streams, its clocks",
    26: "other users of the machine",
    27: "the grader's own memory",
    28: "the grader's own processor time",
    29: "shortcuts that a search in the source does not see",
    30: "points without the work",
    32: "quotas of the whole machine",
}
"""The lines of docs/security.md."""


def outcome(report: Any) -> str:
    """What a test's report says of the attack."""
    if report.outcome == "skipped":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return str(reason).removeprefix("Skipped: ")
    return HELD if report.outcome == "passed" else LOST


def told(outcomes: Outcomes) -> str:
    """Outcomes for a program: a line each."""
    return "".join(f"{TOLD}{json.dumps([*attack, row])}\n" for attack, row in outcomes.items())


def printed(text: str) -> Outcomes:
    """The outcomes in a program's output."""
    lines = [line.removeprefix(TOLD) for line in text.splitlines() if line.startswith(TOLD)]
    return {(line, name): row for line, name, row in map(json.loads, lines)}


def rendered(outcomes: Outcomes) -> str:
    """For a terminal."""
    names = [name for name in COLUMNS if any(name in row for row in outcomes.values())]
    widths = [max(len(attack) for _, attack in outcomes), *map(len, names)]
    lines = [["attack", *names]] + [
        [attack, *(row.get(name, "") for name in names)] for (_, attack), row in sorted(outcomes.items())
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names) + 1)]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def write(outcomes: Outcomes) -> None:
    """Put both tables into the pages, between their marks."""
    names = [name for name in COLUMNS if any(name in row for row in outcomes.values())]
    head = f"| | attack | {' | '.join(COLUMNS[name] for name in names)} |\n| ---: | --- |{' --- |' * len(names)}\n"
    by_line: dict[int, list[dict[str, str]]] = {}
    full = short = head
    for (line, attack), row in sorted(outcomes.items()):
        by_line.setdefault(line, []).append(row)
        full += f"| {line} | {attack} | {' | '.join(row.get(name, '') for name in names)} |\n"
    for line, rows in by_line.items():
        short += f"| {line} | {TITLES[line]} | {' | '.join(_summary(rows, name) for name in names)} |\n"
    _replace(ROOT / "README.md", short)
    _replace(ROOT / "docs" / "security.md", full)


def _summary(rows: list[dict[str, str]], name: str) -> str:
    """Of all attacks of a line: how many there are, and whether all of them held."""
    found = [row.get(name, "") for row in rows]
    lost, held = found.count(LOST), found.count(HELD)
    if lost:
        return f"**{lost} of {len(found)} not held**"
    if not held:
        return found[0] or "not run"
    return f"held ({held} of {len(found)})" if held < len(found) else f"held ({held})"


def _replace(path: Path, text: str) -> None:
    page = path.read_text()
    begin, end = "<!-- attacks: begin -->\n", "<!-- attacks: end -->"
    found = re.subn(f"(?s){begin}.*?{end}", lambda _: begin + "\n" + text + "\n" + end, page)
    if found[1] != 1:
        raise ValueError(f"{path} has not one place for the table of attacks")
    path.write_text(found[0])
