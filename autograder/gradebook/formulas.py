r"""A formula of a released notebook as a picture in the page: readable without the internet, and without a script.

matplotlib sets it. It knows the TeX of one line; the little more that our notebooks use is put in its words.
"""

from __future__ import annotations

import base64
import io
import re
from functools import lru_cache
from html import escape
from typing import Final

POINTS: Final = 12
"""The size of the type that it is set in."""
EM: Final = 11
"""The points of an em of the page: its letters are smaller than those of the text around it, so a little under 12."""
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_UNDERBRACE = re.compile(rf"\\underbrace{_GROUP}_{_GROUP}")
_MATRIX = re.compile(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", re.DOTALL)
_SIZES = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![A-Za-z])")
_SUM = re.compile(r"\\sum(?![A-Za-z])")
_WORDS = {r"\ge": r"\geq", r"\le": r"\leq", r"\ne": r"\neq", r"\dots": r"\ldots"}
_WORD = re.compile(r"\\(?:ge|le|ne|dots)(?![A-Za-z])")
_MEASURES = re.compile(r'<svg [^>]*?height="([\d.]+)pt"')
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def formula_html(tex: str, *, display: bool) -> str:
    """The formula as HTML: an image with its TeX as description; the TeX itself where matplotlib cannot set it.

    Args:
        tex: without dollars. Not a student's: nothing here bounds how large a picture becomes.
        display: on a line of its own.
    """
    drawn = _drawn(" ".join(tex.split()), display)
    if drawn is None:
        shown = f"<code>{escape(tex.strip())}</code>"
    else:
        image, height, depth = drawn
        style = f"height:{height:.3f}em;vertical-align:-{depth:.3f}em"
        source = f"data:image/svg+xml;base64,{image}"
        shown = f'<img class="formula" src="{source}" style="{style}" alt="{escape(tex.strip(), quote=True)}">'
    return f'<span class="display-formula">{shown}</span>' if display else shown


@lru_cache(maxsize=1024)
def _drawn(tex: str, display: bool) -> tuple[str, float, float] | None:
    """The SVG as base64, its height and its depth below the line of the text, both in em."""
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    file = io.BytesIO()
    font = FontProperties(size=POINTS, math_fontfamily="stix")
    words = _in_words_of_matplotlib(tex)
    if display:
        words = words.replace(r"\frac", r"\dfrac")
    try:
        with rc_context({"svg.fonttype": "path", "svg.hashsalt": tex}):
            depth = math_to_image(f"${words}$", file, font, dpi=72, format="svg")
    except ValueError:  # it cannot parse this
        return None
    svg = _METADATA.sub("", file.getvalue().decode())
    measured = _MEASURES.search(svg)
    assert measured is not None  # matplotlib writes them
    return base64.b64encode(svg.encode()).decode(), float(measured[1]) / EM, depth / EM


def _in_words_of_matplotlib(tex: str) -> str:
    tex = _UNDERBRACE.sub(r"\\underset{\2}{\1}", tex)
    tex = _MATRIX.sub(lambda found: r"\left[\substack{" + found[1].replace("&", r"\enspace ") + r"}\right]", tex)
    tex = _SUM.sub(r"\\,\\sum", _SIZES.sub("", tex))  # two in a row would touch each other
    return _WORD.sub(lambda found: _WORDS[found[0]], tex)
