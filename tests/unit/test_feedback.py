"""A report becomes a notebook that teaches, from which nbgrader reads the score, and that is safe to open."""

import base64
import copy
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import nbformat
import pytest
from matplotlib.image import imsave
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, v4
from nbformat.validator import isvalid
from nbgrader.utils import compute_checksum, determine_grade

from autograder.errors import CheckerError
from autograder.gradebook import sanitise
from autograder.gradebook.feedback import annotate
from autograder.model.report import CheckResult, Picture, Provenance, Report

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>&\"'"


def png(width=2, height=2):
    buffer = io.BytesIO()
    imsave(buffer, [[(0.0, 0.0, 0.0)] * width] * height, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def cell(source, name, kind="code", *, grade=False, solution=False, points=None):
    made = (v4.new_code_cell if kind == "code" else v4.new_markdown_cell)(source, id=name)
    flags = NotebookNode(grade_id=name, grade=grade, solution=solution, locked=not solution, schema_version=3)
    if points is not None:
        flags.points = points
    made.metadata.nbgrader = flags
    flags.checksum = compute_checksum(made)
    return made


@pytest.fixture
def executed():
    notebook = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [
        cell("def f(): ...", "f-solution", solution=True),
        cell("f()", "f", grade=True, points=12),
        cell("YOUR ANSWER HERE", "written", "markdown", grade=True, solution=True, points=5),
    ]
    return notebook


def check(verdict="pass", points=4.0, **others):
    return CheckResult(f"check-{verdict}", "f", points, verdict, **others)


def report(*checks, repairs=(), notes=()):
    checks = checks or (check(points=12.0),)
    return Report("alice", "a", "graded", checks, Provenance("", "", "", "", ""), repairs=repairs, notes=notes)


def graded(notebook):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "f")


def page(notebook):
    return HTMLExporter(template_name="classic").from_notebook_node(notebook)[0]


class Active(HTMLParser):
    """Everything in a page that could act: scripts, frames, handlers, addresses that are not plain links."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "iframe", "object", "embed", "svg", "form", "meta", "link", "base"):
            self.found.append((tag, dict(attrs).get("src")))
        for name, value in attrs:
            if name.startswith("on") or name == "srcdoc":
                self.found.append((tag, name))
            safe = ("https:", "#") if name == "href" else ("data:image/png;base64,",)
            if name in ("href", "src") and not (value or "").startswith(safe):
                self.found.append((tag, value))


def test_it_is_called_as_the_assignment_is(executed):
    assert annotate(executed, report(), "Round things").metadata.title == "Round things"
    assert annotate(executed, report()).metadata.title == report().assignment


class TestScore:
    def test_nbgrader_reads_the_sum_of_the_checks(self, executed):
        made = annotate(executed, report(check(), check("fail"), check("not_run")))
        nbformat.validate(made)
        assert determine_grade(graded(made)) == (4.0, 12.0)

    def test_rounding_never_lifts_it_above_the_points(self, executed):
        graded(executed).metadata.nbgrader.points = 0.3
        tenths = [check(points=0.1), check(points=0.2)]
        assert 0.1 + 0.2 > 0.3
        assert determine_grade(graded(annotate(executed, report(*tenths)))) == (0.3, 0.3)

    def test_nothing_that_the_cell_printed_is_taken_for_it(self, executed):
        graded(executed).outputs = [
            v4.new_output("execute_result", {"text/plain": "12.0"}, execution_count=1),
            v4.new_output("stream", name="stderr", text="a warning"),
            v4.new_output("error", ename="E", evalue="v", traceback=["\x1b[31mE\x1b[0m: v"]),
        ]
        made = graded(annotate(executed, report(check(), check("fail", 8.0))))
        assert determine_grade(made) == (4.0, 12.0)
        assert [o.output_type for o in made.outputs] == [
            "display_data",
            "stream",
            "stream",
            "display_data",
            "execute_result",
        ]
        assert made.outputs[2].text == "\x1b[31mE\x1b[0m: v\n"

    def test_hand_graded_answers_are_left_to_a_human(self, executed):
        executed.cells[2].source = "Because."
        assert determine_grade(annotate(executed, report()).cells[2]) == (None, 5.0)

    def test_an_untouched_answer_stays_recognisable(self, executed):
        executed.cells[2] = cell(
            "<!-- write --> ![](x.png)", "written", "markdown", grade=True, solution=True, points=5
        )
        assert determine_grade(annotate(executed, report()).cells[2]) == (0, 5.0)

    def test_checks_that_do_not_fit_the_release_are_the_checkers_failure(self, executed):
        with pytest.raises(CheckerError, match="checks of cell f sum to 4 points, it was released with 12"):
            annotate(executed, report(check()))
        with pytest.raises(CheckerError, match="does not have: g"):
            annotate(executed, report(check(points=12.0), CheckResult("x", "g", 1.0, "pass")))


class TestCards:
    def test_say_verdict_title_points_message_and_hint(self, executed):
        checks = (
            check(title="Shapes agree"),
            check("fail", title="Values agree", message="3 of 8\nworst: 2", hint="Flip `w`."),
            check("not_run", title="Groups"),
        )
        data = graded(annotate(executed, report(*checks))).outputs[0].data
        assert data["text/plain"] == (
            "[passed] Shapes agree: 4 of 4 points\n"
            "[failed] Values agree: 0 of 4 points\n"
            "    3 of 8\n"
            "    worst: 2\n"
            "    Hint: Flip `w`.\n"
            "[not run] Groups: 0 of 4 points"
        )
        for text in ("Shapes agree", "4 / 4", "3 of 8\nworst: 2", ">w</code>", "Hint"):
            assert text in data["text/html"]

    def test_escape_everything(self, executed):
        wicked = check("fail", 12.0, title=EVIL, message=f"`{EVIL}` \x1b[31mred\x1b[0m \x00", hint=EVIL)
        data = (
            graded(
                annotate(
                    executed,
                    report(
                        wicked,
                    ),
                )
            )
            .outputs[0]
            .data
        )
        assert Active(data["text/html"]).found == []
        assert "<script" not in data["text/html"]
        assert "\x1b" not in data["text/html"] + data["text/plain"]

    def test_a_message_that_is_no_unicode_can_still_be_written(self, executed):
        made = annotate(executed, report(check("fail", 12.0, message="\ud800", hint="\udfff")))
        json.dumps(made, ensure_ascii=False).encode()

    def test_show_a_picture_of_a_failed_check(self, executed):
        picture = Picture([[1.0, 2.0]], [[2.0, 1.0]])
        html = graded(annotate(executed, report(check("fail", 12.0, picture=picture)))).outputs[0].data["text/html"]
        assert 'src="data:image/png;base64,' in html
        html = graded(annotate(executed, report(check("pass", 12.0, picture=picture)))).outputs[0].data["text/html"]
        assert "<img" not in html

    def test_staff_details_are_not_shown(self, executed):
        made = annotate(executed, report(check("fail", 12.0, message="m", detail="hidden inputs")))
        assert "hidden inputs" not in json.dumps(made)

    def test_repairs_are_a_notice_above_the_notebook(self, executed):
        made = annotate(executed, report(repairs=("`f` was missing: it was put back.", EVIL)))
        assert made.cells[0].cell_type == "markdown"
        assert "nbgrader" not in made.cells[0].metadata
        assert "was missing" in made.cells[0].source
        assert Active(made.cells[0].source).found == []
        assert len(annotate(executed, report()).cells) == len(made.cells) - 1

    def test_notes_are_a_notice_above_the_notebook(self, executed):
        made = annotate(executed, report(notes=("Your cell `x` was ended", EVIL)))
        assert "`" not in made.cells[0].source
        assert "was ended" in made.cells[0].source
        assert Active(made.cells[0].source).found == []
        assert len(annotate(executed, report()).cells) == len(made.cells) - 1

    def test_a_message_of_all_checks_is_a_notice_above_the_notebook(self, executed):
        unread = [replace(check("not_run", message="expected <JSON>"), name=f"c{i}") for i in range(3)]
        made = annotate(executed, report(*unread))
        assert "expected &lt;JSON&gt;" in made.cells[0].source
        (cards,) = [o.data for o in graded(made).outputs if o.output_type == "display_data"]
        assert "JSON" not in cards["text/html"] + cards["text/plain"]

    def test_a_message_of_all_checks_of_a_cell_stands_above_its_cards(self, executed):
        executed.cells.insert(2, cell("g()", "g", grade=True, points=1))
        broken = [replace(check("fail", message="the cell raised"), name=f"c{i}") for i in range(3)]
        other = replace(check("fail", 1.0, message="other"), cell="g")
        (cards,) = [o.data for o in graded(annotate(executed, report(*broken, other))).outputs if "data" in o][:1]
        assert cards["text/html"].count("the cell raised") == cards["text/plain"].count("the cell raised") == 1


class TestSafety:
    def test_the_executed_notebook_is_not_changed(self, executed):
        graded(executed).outputs = [v4.new_output("stream", text="x")]
        before = copy.deepcopy(executed)
        annotate(executed, report(repairs=("r",)))
        assert executed == before

    def test_of_rich_outputs_text_and_pictures_are_kept(self, executed):
        rich = {
            "text/plain": "plain",
            "text/html": EVIL,
            "text/markdown": EVIL,
            "text/latex": EVIL,
            "image/svg+xml": "<svg onload=alert(1)>",
            "application/javascript": "alert(1)",
            "application/vnd.jupyter.widget-view+json": {},
            "image/png": png(),
        }
        executed.cells[0].outputs = [
            v4.new_output("display_data", rich, metadata={"image/png": {"width": "1 onerror=alert(1)"}}),
            v4.new_output("display_data", {"text/html": EVIL}),
        ]
        outputs = annotate(executed, report()).cells[0].outputs
        assert outputs == [
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"text/plain": "plain", "image/png": png()},
            }
        ]

    @pytest.mark.parametrize(
        ("output", "kept"),
        [
            ({"output_type": "stream", "name": ["x"], "text": {"a": 1}}, {"name": "stdout", "text": "{'a': 1}"}),
            ({"output_type": "stream"}, {"name": "stdout", "text": ""}),
            (
                {"output_type": "error", "ename": 1, "evalue": None, "traceback": "no list"},
                {"ename": "1", "evalue": "None", "traceback": [""]},
            ),
            ({"output_type": "error", "traceback": [None, 3]}, {"ename": "", "evalue": "", "traceback": ["None", "3"]}),
            ({"output_type": "display_data", "data": "text"}, None),
            (
                {"output_type": "execute_result", "data": {"text/plain": ["a", 3]}, "execution_count": "<b>"},
                {"data": {"text/plain": "a3"}, "metadata": {}, "execution_count": None},
            ),
            ({"output_type": "update_display_data", "data": {"text/plain": "x"}}, None),
            ({"output_type": "stream", "name": "stdout", "text": "\ud800"}, {"name": "stdout", "text": "?"}),
        ],
    )
    def test_outputs_of_any_shape_end_as_a_valid_notebook(self, executed, output, kept):
        executed.cells[0].outputs = [nbformat.from_dict(output)]
        made = annotate(executed, report())
        assert made.cells[0].outputs == ([] if kept is None else [{"output_type": output["output_type"], **kept}])
        assert isvalid(made)
        assert json.loads(json.dumps(made, ensure_ascii=False).encode()) == made

    @pytest.mark.parametrize(
        "picture",
        ["", "no base64!", base64.b64encode(b"GIF89a" + b"0" * 40).decode(), png(5000, 1), png()[:12], 7],
    )
    def test_what_is_no_bearable_png_is_dropped(self, executed, picture):
        executed.cells[0].outputs = [NotebookNode(output_type="display_data", data={"image/png": picture}, metadata={})]
        assert all("image/png" not in output.data for output in annotate(executed, report()).cells[0].outputs)

    def test_an_endless_output_is_cut(self, executed):
        executed.cells[0].outputs = [v4.new_output("stream", text="x" * 10**6)]
        text = annotate(executed, report()).cells[0].outputs[0].text
        assert len(text) < sanitise.LONGEST_TEXT + 100
        assert text.endswith("980000 more characters")

    @pytest.mark.parametrize(
        "source",
        [
            EVIL,
            "<svg/onload=alert(1)>",
            "<!--><script>alert(1)</script>-->",
            "[click](javascript:alert(1))",
            "[click](  javascript:alert(1))",
            "[click](java&#115;cript:alert(1))",
            "[click](<javascript:alert(1)>)",
            "[click](< javascript:alert(1)>)",
            "[click][ref]\n\n[ref]: javascript:alert(1)",
            "[click][ref]\n\n[ref]:\n  JaVaScRiPt:alert(1)",
            "[click](data:text/html,<script>alert(1)</script>)",
            "<javascript:alert(1)>",
            "![](https://elsewhere.example/pixel.png)",
            "![x][ref]\n\n[ref]: https://elsewhere.example/pixel.png",
            "```mermaid\n<img src=x onerror=alert(1)>\n```",
            "    <script>alert(1)</script>",
            "`<script>`alert(1)`</script>`",
            "$<img src=x onerror=alert(1)>$",
            "\\begin{equation}<script>alert(1)</script>\\end{equation}",
            '[x](https://e.example "a\\" onmouseover=alert(1)")',
            '# <a id="x" onclick=alert(1)>',
        ],
    )
    @pytest.mark.parametrize("kind", ["markdown", "raw", "written"])
    def test_nothing_that_a_student_wrote_acts_in_the_page(self, executed, source, kind):
        clean = Active(page(annotate(executed, report()))).found
        if kind == "written":
            executed.cells[2].source = source
        else:
            executed.cells.append(NotebookNode(cell_type=kind, id="added-1", metadata=NotebookNode(), source=source))
        assert Active(page(annotate(executed, report()))).found == clean

    def test_ordinary_answers_look_as_they_were_written(self):
        ordinary = "**Weights** are shared: $a < b$, [see](https://arxiv.org/).\n\n- `x[0]` & y\n- [ ] to do"
        assert sanitise.markdown(ordinary) == ordinary

    def test_metadata_of_a_kernel_is_dropped(self, executed):
        executed.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": EVIL}}
        executed.metadata.language_info = {"name": EVIL}
        executed.metadata.title = EVIL
        executed.cells[0].metadata.tags = ['x" onclick="alert(1)']
        executed.cells[0].execution_count = EVIL
        made = annotate(executed, report())
        assert set(made.metadata) == {"kernelspec", "language_info", "title"}
        assert "<script>" not in json.dumps(made)
        assert "onclick" not in json.dumps(made)
