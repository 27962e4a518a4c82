"""What students wrote and printed, as people read it: nothing in it acts in a browser or on a terminal."""

from __future__ import annotations

import io
import re
import unicodedata
from html import unescape
from html.parser import HTMLParser

from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from rich.console import Console

from autograder import table
from autograder.gradebook import sanitise
from autograder.gradebook.cards import cards_html, cards_text, message_html, repairs_html
from autograder.model.report import CheckResult, Provenance, Report

SECONDS = 20
WORDS = [
    *(
        b"<script>",
        b"<img src=x onerror=1>",
        b"](javascript:x)",
        b"![x](",
        b"]: javascript:x",
        b"[a]:",
        b"<a href=",
        b"$$",
        b"`",
    ),
    *(
        b"```\n",
        b"&lt;",
        b"&#106;",
        b"\x1b[",
        b"\x1b]8;;",
        b"\x9b2J",
        b"\xc2\x9b",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\r",
        b"\x85",
    ),
    *(
        b"https://e.x",
        b"mailto:",
        b"](#",
        b"| a |\n|---|\n",
        b"\\",
        b"<!--",
        b"<![CDATA[",
        b"<?",
        b"\n\n    ",
        b"> ",
        b"- ",
        b'"',
    ),
]
TURNS = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
OURS = {"div", "span", "strong", "code", "ul", "li"}
SPOILT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def check(data: bytes) -> bool:
    text = (
        data.decode("utf-8", "surrogatepass" if data[:1] > b"m" else "replace")
        if decodes(data)
        else data.decode("latin-1")
    )
    on_terminal(table.plain(text))
    on_a_page(text)
    as_markdown(text)
    first = text.partition("\n")[0]
    checks = (
        CheckResult("one", "cell", 1.0, "fail", "value", text, hint="Mind the border.", title="One.", detail=text),
        CheckResult("two", "cell", 1.0, "pass", message=first, title="Two."),
        CheckResult("three", "cell", 1.0, "not_run", message=text, title="Three."),
    )
    as_cards(checks)
    as_tables(checks, text)
    return True


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def on_terminal(text: str) -> None:
    obeyed = [char for char in text if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    assert not obeyed, f"control characters: {obeyed}"
    assert not set(TURNS) & set(text)
    text.encode()


def on_a_page(text: str) -> None:
    plain = sanitise.plain(text)
    assert not SPOILT.search(plain), f"control characters: {SPOILT.search(plain)}"
    plain.encode()
    assert len(plain) <= sanitise.LONGEST_TEXT + 100


def as_markdown(text: str) -> None:
    """Rendered as nbconvert does it."""
    clean = sanitise.markdown(text)
    clean.encode()
    html = markdown2html_mistune(clean)
    assert Acts(html).found == []


class Acts(HTMLParser):
    """Everything in a page that could act: a tag, handler or address that markdown without HTML cannot have."""

    TAGS = frozenset(
        [
            "p",
            "a",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "em",
            "strong",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "hr",
            "br",
            "del",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "div",
            "span",
            "sup",
            "section",
            "input",
        ]
    )

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.TAGS:
            self.found.append(tag)
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name in {"srcdoc", "src", "action", "formaction"}:
                self.found.append((tag, name))
            if name == "href" and not address.startswith(("http://", "https://", "mailto:", "#")):
                self.found.append((tag, value))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))

    handle_decl = unknown_decl = handle_pi = handle_comment


class Page(HTMLParser):
    """The tags and the text of one of our own pieces of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"style", "class", "title", "aria-label"}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    handle_decl = unknown_decl = handle_pi = handle_comment


def as_cards(checks: tuple[CheckResult, ...]) -> None:
    message = checks[0].message
    pieces = [
        cards_html(checks),
        cards_html(checks, message),
        cards_html(checks[::2]),
        message_html(message),
        repairs_html([message]),
    ]
    for html in pieces:
        page = Page(html)
        assert set(page.tags) <= OURS
        assert not SPOILT.search(unescape(html))
        html.encode()
    shown = sanitise.plain(message)
    assert Page(pieces[3]).text.replace("`", "") == shown.replace("`", "")
    told = cards_text(checks)
    assert not SPOILT.search(told)
    verdicts = [line for line in told.split("\n") if line.startswith("[")]
    assert len(verdicts) == len(checks), "a message makes a line that looks like a verdict"


def as_tables(checks: tuple[CheckResult, ...], text: str) -> None:
    provenance = Provenance("", "", "", "", "")
    reports = [
        Report("ada", "a", "graded", checks, provenance, repairs=(text,)),
        Report("bob", "a", "failed", checks[::2], provenance, error=text),
    ]
    console = Console(file=io.StringIO(), width=80)
    if (turn := len(text) % 3) < 2:  # each takes more time than all else here
        table.print_report(console, reports[turn], staff=True)
    else:
        table.print_class(console, reports)
    on_terminal(console.file.getvalue())


words = st.sampled_from([*(word.decode("utf-8", "replace") for word in WORDS), "\ud800", "\u202e", "\x9b", "\x85"])
schemes = st.sampled_from(
    ["javascript:x", "data:text/html,x", "//e.x", "https://e.x", "mailto:a", "#a", " javascript:x", "\tvbscript:x"]
)
links = st.one_of(
    st.builds("[{}]({})".format, st.text(max_size=3), schemes),
    st.builds(
        "[{0}]\n\n[{0}]:{1}{2}".format,
        st.sampled_from("ab"),
        st.sampled_from([" ", "\n", "\n  ", "", "\t", "  <"]),
        schemes,
    ),
    st.builds("<{}>".format, schemes),
    st.builds("{}({})".format, st.sampled_from(["]", "[a] ", "[[a]]", "![a]", "[a\\]"]), schemes),
    st.builds(
        "<{} {}={}>".format,
        st.sampled_from(["a", "img", "svg/", "/p", "!x", "?y"]),
        st.sampled_from(["href", "onload"]),
        schemes,
    ),
)
pieces = st.one_of(words, links, st.text(max_size=5))
texts = st.one_of(
    *[st.lists(pieces, max_size=10).map("".join)] * 9,
    st.builds(lambda piece, times: piece * times, pieces, st.sampled_from([2, 2, 2, 30, 30, 900])),
)
cases = texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
