"""What is fuzzed: a module a target, and how many of all cases each gets.

A target has `check(data)`, which raises when a promise is broken and is true when the case reached the product's code;
`cases`, the strategy that draws them; `WORDS`, what the bytes of a case are made of; and, where its cases are slow,
`SECONDS`.
"""

from __future__ import annotations

SHARES = {
    "notebook": 0.17,
    "codec": 0.2,
    "relay": 0.2,
    "messages": 0.17,
    "calls": 0.03,
    "outputs": 0.057,
    "answers": 0.05,
    "sources": 0.07,
    "texts": 0.05,
    "pictures": 0.003,
}
"""By what a case takes: the sum is all."""
