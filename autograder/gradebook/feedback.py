"""Turn a report into the notebook that nbgrader shows: verdicts under each graded cell, and its score."""

from __future__ import annotations

import copy

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution

from autograder.errors import CheckerError
from autograder.gradebook import sanitise
from autograder.gradebook.cards import cards_html, cards_text, message_html, notes_html, repairs_html, score_html
from autograder.model.report import CheckResult, Report, said_by_all

METADATA = ("nbgrader", "deletable", "editable")
"""What a cell keeps of its metadata; a kernel may have written anything into the rest."""


def annotate(notebook: NotebookNode, report: Report, title: str = "") -> NotebookNode:
    """A copy of an executed notebook as students and staff will read it.

    - Under each graded cell: what it printed, a card for each check, and as its result the points, which is
      nbgrader's partial credit: its `determine_grade` reads the report's score from it.
    - What students printed and wrote is made safe to open; see `sanitise`.
    - Above all, a notice of what was repaired.

    Args:
        notebook: the rebuilt notebook after its cells ran.
        title: what the assignment is called; where it is empty, its name is.

    Raises:
        CheckerError: the checks of a cell do not sum to the points it was released with.
    """
    named = {cell.metadata.nbgrader["grade_id"] for cell in notebook.cells if _is_autograded(cell)}
    strangers = sorted({check.cell for check in report.checks} - named)
    if strangers:
        raise CheckerError(f"checks of cells that {report.assignment} does not have: {', '.join(strangers)}")
    gallery, photos = sanitise.Gallery(), sanitise.Gallery(sanitise.MOST_PHOTO_PIXELS)
    cells = [_annotated(cell, report, gallery, photos) for cell in notebook.cells]
    if report.repairs:
        cells.insert(0, _notice("repairs", repairs_html(report.repairs)))
    if report.notes:
        cells.insert(0, _notice("notes", notes_html(report.notes)))
    if said := said_by_all(report.checks):
        cells.insert(0, _notice("message", message_html(said)))
    language = NotebookNode(name="python", pygments_lexer="ipython3")
    metadata = NotebookNode(language_info=language, title=title or report.assignment)
    if "kernelspec" in notebook.metadata:
        metadata.kernelspec = copy.deepcopy(notebook.metadata.kernelspec)
    return NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)


def _notice(name: str, html: str) -> NotebookNode:
    return NotebookNode(cell_type="markdown", id=name, metadata=NotebookNode(), source=html)


def _is_autograded(cell: NotebookNode) -> bool:
    return bool(is_grade(cell)) and not is_solution(cell)


def _annotated(cell: NotebookNode, report: Report, gallery: sanitise.Gallery, photos: sanitise.Gallery) -> NotebookNode:
    metadata = NotebookNode({key: copy.deepcopy(cell.metadata[key]) for key in METADATA if key in cell.metadata})
    made = NotebookNode(cell_type=cell.cell_type, id=cell.id, metadata=metadata, source=cell.source)
    if cell.cell_type != "code":
        if not (is_locked(cell) or _is_untouched(cell)):
            shown = sanitise.attachments(cell, photos) if cell.cell_type == "markdown" else NotebookNode()
            made.source = sanitise.markdown(cell.source, shown)
            if shown:
                made.attachments = shown
        return made
    count = cell.get("execution_count")
    made.execution_count = count if isinstance(count, int) else None
    made.outputs = sanitise.outputs(cell, gallery, quiet=_is_autograded(cell))
    if _is_autograded(cell):
        flags = cell.metadata.nbgrader
        made.outputs += _verdicts(flags["grade_id"], float(flags["points"]), report)
    return made


def _is_untouched(cell: NotebookNode) -> bool:
    """Whether an answer is still the released one. nbgrader compares checksums: not a letter may change."""
    flags = cell.metadata.get("nbgrader", {})
    return "checksum" in flags and flags["checksum"] == compute_checksum(cell)


def _verdicts(name: str, released_points: float, report: Report) -> list[NotebookNode]:
    checks = report.cell(name)
    points = _points(name, released_points, checks)
    said = said_by_all(report.checks)
    cards = NotebookNode(
        output_type="display_data",
        metadata=NotebookNode(),
        data=NotebookNode({"text/html": cards_html(checks, said), "text/plain": cards_text(checks, said)}),
    )
    score = NotebookNode(
        output_type="execute_result",
        execution_count=None,
        metadata=NotebookNode(),
        data=NotebookNode({"text/html": score_html(points, released_points), "text/plain": repr(points)}),
    )
    return [cards, score]


def _points(name: str, released: float, checks: tuple[CheckResult, ...]) -> float:
    """The points of a cell, at most what it was released with: nbgrader refuses one lifted by rounding."""
    possible = sum(check.max_points for check in checks)
    if abs(possible - released) > 1e-9:
        raise CheckerError(
            f"the checks of cell {name} sum to {possible:g} points, it was released with {released:g}: "
            "mend one of them and release the assignment again"
        )
    return float(min(sum(check.points for check in checks), released))
