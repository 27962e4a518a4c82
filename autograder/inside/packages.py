"""The packages that notebooks are graded with: names, versions, and what is said where others are asked for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
import sys
from functools import cache

DISTRIBUTIONS = {
    "numpy": "numpy", "matplotlib": "matplotlib", "pandas": "pandas", "scipy": "scipy", "sklearn": "scikit-learn",
    "skimage": "scikit-image", "torch": "torch", "pytorch_lightning": "pytorch-lightning",
}  # fmt: skip
"""Modules that students are told of, each with the name under which it is installed."""
ABSENT = "Mounted over a package"
"""How the stand-in for a package that an exercise does without begins: see `absent/__init__.py`."""
INSTALLERS = r"pip[\d.]*|conda|mamba|micromamba|uv(?:\s+pip)?|poetry|apt|apt-get|brew|npm"
INSTALLS = re.compile(
    rf"\s*(?:sudo\s+)?(?:\S*python[\d.]*['\"]?\s+(?:-\S+\s+)*?-m\s+)?(?:{INSTALLERS})\s+(?:-\S+\s+)*"
    r"(?:install|add|update|upgrade|sync|uninstall|remove)\b[^;&|\n]*"
)
"""A shell command that does nothing but install packages."""
ASKS_INSTALLER = re.compile(rf"(?:^|[\s;&|/])(?:{INSTALLERS})\s")
ASKS_NETWORK = re.compile(r"(?:^|[\s;&|/])(?:wget|curl|git|gdown|kaggle|gsutil|aws|ssh|scp|rsync|huggingface-cli)\s")


ENVIRONMENT = {
    "PIP_NO_INDEX": "1", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore",
    "GIT_TERMINAL_PROMPT": "0",
    "JOBLIB_MULTIPROCESSING": "0",  # its workers look into /proc, which is closed: it runs in one process
}  # fmt: skip
"""What lets programs do without what is not there: give up at once, or find another way."""


def loaded() -> dict[str, str]:
    """Return Python's version and those of the packages that this process has imported: `{"numpy": "2.4.6"}`."""
    found = {name: getattr(sys.modules.get(module), "__version__", "") for module, name in DISTRIBUTIONS.items()}
    return {"python": platform.python_version(), **{name: str(version) for name, version in found.items() if version}}


@cache
def version(module: str) -> str | None:
    """Return the version of an installed package of `DISTRIBUTIONS`; None where the exercise does without it."""
    try:
        spec = importlib.util.find_spec(module)
        if spec is None or is_absent(spec.origin):
            return None
        return importlib.metadata.version(DISTRIBUTIONS[module])
    except (ImportError, ValueError, KeyError):
        return None


def is_there(module: str) -> bool:
    """Whether a top-level module can be found, if only as the stand-in for one that the exercise does without."""
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def is_absent(origin: str | None) -> bool:
    """Whether the file `origin` stands in for a package that the exercise does without."""
    if not origin or not origin.endswith("__init__.py"):
        return False
    try:
        with open(origin, "rb") as file:  # noqa: PTH123 - pathlib is not imported in the zygote
            return ABSENT.encode() in file.read(200)
    except OSError:
        return False


@cache
def installed() -> str:
    """Return the packages that students are told of, with Python, in one line."""
    found = [(name, version(module)) for module, name in DISTRIBUTIONS.items()]
    named = [f"{name} {number}" for name, number in found if number]
    return ", ".join([f"Python {platform.python_version()}", *named])


def only_installs(command: str) -> bool:
    """Whether a shell command installs or removes packages, and does nothing else."""
    return INSTALLS.fullmatch(command) is not None


def remark(command: str) -> str:
    """Return what to say after a shell command that failed, if it asked for what is not there; empty if it did not."""
    if ASKS_INSTALLER.search(command):
        return f"No package can be installed while grading. Installed are: {installed()}."
    if ASKS_NETWORK.search(command):
        return "There is no network while grading: hand in with the notebook the files that it needs."
    return ""
