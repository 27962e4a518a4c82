"""What is fuzzed: a module a target, and how many of all cases each gets.

A target has `check(data)`, which raises when a promise is broken and is true when the case reached the product's code;
`cases`, the strategy that draws them; `WORDS`, what the bytes of a case are made of; and, where its cases are slow,
`SECONDS`.
"""

from __future__ import annotations

SHARES = {
    "notebook": 0.17,
    "codec": 0.17,
    "relay": 0.17,
    "messages": 0.13,
    "calls": 0.04,
    "outputs": 0.07,
    "answers": 0.08,
    "sources": 0.09,
    "texts": 0.077,
    "pictures": 0.003,
}
"""By what a case takes: the sum is all."""
