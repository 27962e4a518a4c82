"""Run a target's cases in this process, which ends at the first that hangs, takes too much memory or breaks a promise.

    python tests/fuzz/campaign.py TARGET --cases N --seed S    new cases: the last line is what was run, as JSON
    python tests/fuzz/campaign.py TARGET FILE ...              those in files

The case that is being run lies in `build/fuzz/TARGET.case` all the time, whatever becomes of the process.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gzip
import importlib
import json
import math
import mmap
import os
import random
import re
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from hypothesis import HealthCheck, Phase, given, seed, settings
from mutation import mutated

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
BUILD = ROOT / "build" / "fuzz"
MEMORY = 10**9
"""Bytes that the process may ever have had in memory: what a case takes, and its target's libraries."""
HARD_MEMORY = 3 * MEMORY // 2
"""Bytes that it is given by Linux: a case that asks for more at once gets a MemoryError, and has passed MEMORY."""
SECONDS = 10
"""Seconds of processor time that a case may take, where its target does not say."""
PATIENCE = 30
"""Times as long it may wait: on a busy machine for a processor, and where it hangs without using one, for nothing."""
BATCH = 500
POOL = 1000
DRAWN = 0.3
"""Which share of the cases the strategy draws; the others are mutations, which take a tenth of the time to make."""
LONGEST = 2**26


class Guard:
    """Runs cases of one target within the bounds, and counts those that reached the product's code."""

    def __init__(self, target: str) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        self.module: ModuleType = importlib.import_module(f"targets.{target}")
        self.count = 0
        self.pool: list[bytes] = []
        self._seen = 0
        self._seconds = getattr(self.module, "SECONDS", SECONDS)
        self._file = (BUILD / f"{target}.case").open("w+b")
        self._file.truncate(LONGEST)
        self._case = mmap.mmap(self._file.fileno(), LONGEST)
        self._status = Path("/proc/self/status").open("rb", buffering=0)  # noqa: SIM115 - as long as the process
        resource.setrlimit(resource.RLIMIT_DATA, (HARD_MEMORY, HARD_MEMORY))

    def run(self, data: bytes) -> None:
        """One case.

        Raises:
            Exception: what the target raises: a promise is broken.
        """
        assert self.peak() < MEMORY, "to make the case took more memory than its run may"
        self._case[: len(data) + 8] = len(data).to_bytes(8, "big") + data
        signal.setitimer(signal.ITIMER_PROF, self._seconds)
        signal.setitimer(signal.ITIMER_REAL, self._seconds * PATIENCE)
        try:
            self.count += bool(self.module.check(data))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        if (peak := self.peak()) > MEMORY:
            print(f"memory: {peak / 1e6:.0f} MB, more than {MEMORY / 1e6:.0f}", file=sys.stderr, flush=True)
            os._exit(3)

    def keep(self, data: bytes, rng: random.Random) -> None:
        """Put a case into the pool for mutation, in place of another one once it is full."""
        self._seen += 1
        if len(data) > 2**15:
            return
        if len(self.pool) < POOL:
            self.pool.append(data)
        elif (place := rng.randrange(self._seen)) < POOL:
            self.pool[place] = data

    def peak(self) -> int:
        """Bytes that this process has had in memory at most."""
        self._status.seek(0)
        found = re.search(rb"VmHWM:\s*(\d+) kB", self._status.read(4096))
        assert found is not None
        return int(found[1]) * 1024


def current(target: str) -> bytes:
    """The case that was being run when the process ended."""
    with (BUILD / f"{target}.case").open("rb") as file:
        return file.read(int.from_bytes(file.read(8), "big"))


def structured(guard: Guard, cases: int, number: int) -> None:
    """Draw `cases` cases from the target's strategy."""
    rng = random.Random(number)
    for batch in range(2 * cases // BATCH + 2):

        @seed(number + batch)
        @settings(
            max_examples=min(BATCH, cases - guard.count),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(guard.module.cases)
        def run(data: bytes) -> None:
            guard.keep(data, rng)
            guard.run(data)

        run()
        if guard.count >= cases:
            return


def changed(guard: Guard, cases: int, number: int) -> None:
    """Mutate cases of the corpus and of those that were drawn, until `cases` have been run in all."""
    rng = random.Random(number)
    pool = [*guard.pool, *(data for _, data in corpus(guard.module.__name__.rpartition(".")[2]) if len(data) < 2**15)]
    for _ in range(5 * (cases - guard.count)):
        if guard.count >= cases:
            return
        guard.run(mutated(rng.choice(pool), pool, guard.module.WORDS, rng))


def corpus(target: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a target's kept cases."""
    for path in sorted((CORPUS / target).iterdir()):
        yield path.name, content(path)


def content(path: Path) -> bytes:
    """A kept case; a large one is kept compressed."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    faulthandler.enable()
    for number in (signal.SIGPROF, signal.SIGALRM):
        faulthandler.register(number, chain=True)  # says where a case is; then the signal ends the process
    warnings.simplefilter("ignore")  # sources and numbers of any kind are full of them
    guard = Guard(asked.target)
    started, cpu = time.monotonic(), time.process_time()
    for path in asked.files:
        print(path.name, file=sys.stderr, flush=True)
        guard.run(content(path))
    drawn = 0
    if asked.cases:
        structured(guard, math.ceil(asked.cases * DRAWN), asked.seed)
        drawn = guard.count
        changed(guard, asked.cases, asked.seed)
    told = {"cases": guard.count, "drawn": drawn, "seconds": time.monotonic() - started}
    print(json.dumps({**told, "cpu": time.process_time() - cpu, "peak": guard.peak()}))
    with contextlib.suppress(AttributeError):
        guard.module.end()


if __name__ == "__main__":
    main()
