"""Cases that coverage guides, where atheris is installed (`pip install atheris`; it is no dependency of the project).

    python tests/fuzz/guided.py TARGET --seconds N

libFuzzer keeps what reaches new lines of `autograder` in `build/fuzz/guided/TARGET/`, begins there and with the corpus,
and writes a case that breaks a promise, hangs or takes too much memory to `build/fuzz/guided/`.

Why it is no part of `make fuzz`: it found nothing that the strategies and mutations had not. 45 seconds of it, from the
corpus, reached 135 edges of the codec (in 580,000 cases), 267 of the notebooks' and 132 of the sources'; 3,000 cases of
`campaign.py` reach 136, 259 and 133, and more of the counts at which edges are passed. It knows no amplification
(a thousand keys of one hash), which is where the bugs were. It is worth an hour after a large change of a parser.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings

import atheris  # type: ignore[import-not-found]  # see above
from campaign import BUILD, MEMORY, SECONDS, corpus


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["autograder"]):
        module = importlib.import_module(f"targets.{asked.target}")
    begun = BUILD / "guided" / asked.target
    begun.mkdir(parents=True, exist_ok=True)
    for name, data in corpus(asked.target):
        (begun / name).write_bytes(data)
    words = begun.with_suffix(".words")
    words.write_text("".join('"' + "".join(map("\\x{:02x}".format, word)) + '"\n' for word in module.WORDS))
    options = {
        "max_total_time": asked.seconds,
        "timeout": getattr(module, "SECONDS", SECONDS),
        "rss_limit_mb": MEMORY // 10**6,
        "max_len": 2**16,
        "dict": words,
        "artifact_prefix": f"{BUILD}/guided/{asked.target}-",
        "print_final_stats": 1,
    }

    def check(data: bytes) -> int:
        return 0 if module.check(data) else -1  # -1: not worth keeping

    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(begun)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
