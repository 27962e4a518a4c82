"""The page that a student reads: nbgrader's feedback in our own template, complete in one file, without a script.

nbgrader makes it (`GenerateFeedback.exporter_class`), and puts the scores and comments of its gradebook in.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.api import Gradebook
from nbgrader.utils import is_locked
from traitlets import default
from traitlets.config import Config

from autograder.gradebook.formulas import formula_html


class FeedbackPage(HTMLExporter):  # type: ignore[misc]  # its base is not typed
    """Makes the page of one graded notebook, with what nbgrader's `GetGrades` found in the gradebook."""

    @default("raw_template")  # type: ignore[untyped-decorator]  # traitlets has no types for it
    def _raw_template_default(self) -> str:
        return files(__package__).joinpath("page.html").read_text(encoding="utf-8")

    @property
    def default_config(self) -> Config:
        """As HTMLExporter's; the class's own name goes before the template that nbgrader sets for all HTML."""
        config = Config({"FeedbackPage": {"template_name": "classic", "exclude_anchor_links": True}})
        config.merge(super().default_config)
        return config

    def _preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """This method is called by `from_notebook_node`. nbgrader's score of an answer that nobody has read is 0."""
        nb, resources = super()._preprocess(nb, resources)
        resources["nbgrader"]["unread"] = _unread(resources["nbgrader"])
        return nb, resources

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML, the formulas of released cells as pictures.

        This method is called by the template. A student's formulas stay as they were typed: no picture of
        theirs need be bounded.
        """
        cell = context.get("cell", {})
        options = {"escape": False, "exclude_anchor_links": True, "attachments": cell.get("attachments", {})}
        renderer = (_Released if cell and is_locked(cell) else IPythonRenderer)(**options)
        html: str = MarkdownWithMath(renderer=renderer).render(source)
        return html


def _unread(told: Any) -> set[str]:
    """The cells whose points wait for a person, by what nbgrader's gradebook says; none where there is no gradebook."""
    if "db_url" not in told:
        return set()
    with Gradebook(told["db_url"]) as book:
        notebook = book.find_submission_notebook(told["notebook"], told["assignment"], told["student"])
        return {grade.name for grade in notebook.grades if grade.needs_manual_grade and grade.manual_score is None}


class _Released(IPythonRenderer):  # type: ignore[misc]  # its base is not typed
    """nbconvert's renderer, but formulas need no script in the page."""

    def block_math(self, body: str) -> str:
        return formula_html(body, display=True)

    def inline_math(self, body: str) -> str:
        return formula_html(body, display=False)
