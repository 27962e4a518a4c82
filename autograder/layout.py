"""Tables that keep their words: as wide as their text in a file or pipe, wrapped on a terminal, never cut."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

GAP: Final = 2
"""Columns of a terminal between two columns of a table."""
INDENT: Final = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Only text may be wrapped: numbers never are."""

    name: str
    kind: Literal["text", "number"] = "text"


def print_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
    """Print a table whose first column names the row, and whose last one is the longest text.

    Where the last column has no room for its longest word, its text comes in lines of its own below each row.
    """
    if not console.is_terminal:
        _print_whole(console, _table(columns, rows, [None] * len(columns)))
        return
    widths = [max(cell_len(column.name), *(_width(row[i]) for row in rows), 0) for i, column in enumerate(columns)]
    taken = sum(widths[:-1]) + GAP * (len(columns) - 1)
    if taken + widths[-1] <= console.width:
        console.print(_table(columns, rows, [None] * len(columns)))
        return
    last = max([cell_len(columns[-1].name), *(_longest_word(row[-1]) for row in rows)])
    room = console.width - taken
    if room >= min(last, console.width // 2):
        console.print(_table(columns, rows, [*[None] * (len(columns) - 1), room]))
        return
    _print_stacked(console, columns, rows, widths)


def _print_stacked(
    console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]], widths: Sequence[int]
) -> None:
    """Each row in one line without its last column, whose text follows in lines that are indented."""
    fixed = sum(w for w, column in zip(widths, columns[:-1], strict=False) if column.kind == "number")
    texts = [i for i, column in enumerate(columns[:-1]) if column.kind == "text"]
    room = max(8 * len(texts), console.width - fixed - GAP * (len(columns) - 2))
    limits: list[int | None] = [None] * (len(columns) - 1)
    for number, i in enumerate(texts):
        limits[i] = min(widths[i], max(8, room // (len(texts) - number)))
        room -= limits[i] or 0
    exact = [limit or width for limit, width in zip(limits, widths, strict=False)]
    console.print(_table(columns[:-1], [], exact, exact=True))
    console.print(Padding(Text(columns[-1].name, style="bold"), (0, 0, 0, INDENT)))
    for row in rows:
        console.print(_table(columns[:-1], [row[:-1]], exact, exact=True, header=False))
        if row[-1].plain:
            console.print(Padding(row[-1], (0, 0, 0, INDENT)), overflow="fold")


def _print_whole(console: Console, table: Table) -> None:
    """Print a table as wide as it is: nothing is known of who reads it."""
    wide = Console(file=io.StringIO(), width=1, color_system=None, legacy_windows=False)
    width = Measurement.get(wide, wide.options.update(max_width=10**6), table).maximum
    file = io.StringIO()
    Console(file=file, width=max(1, width), color_system=None, legacy_windows=False).print(table)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    console.print(Text("\n".join(lines)), soft_wrap=True)


def _table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Text]],
    limits: Sequence[int | None],
    *,
    exact: bool = False,
    header: bool = True,
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0), show_header=header)
    for column, limit in zip(columns, limits, strict=True):
        table.add_column(
            column.name,
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            no_wrap=column.kind == "number",
            max_width=limit,
            width=limit if exact else None,
        )
    for row in rows:
        table.add_row(*row)
    return table


def _width(text: Text) -> int:
    return max((cell_len(line) for line in text.plain.split("\n")), default=0)


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)
