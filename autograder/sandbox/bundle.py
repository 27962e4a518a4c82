"""The only code that enters a sandbox, in its own folder: `inside/` and the student's package `course/`."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
from functools import cache
from pathlib import Path

from autograder import inside
from autograder.sandbox.run_folder import run_folder

COURSE_SUFFIXES = {".py", ".npy", ".npz", ".png", ".mplstyle"}
COURSE_FOLDERS = ("", "images", "data")
ABSENT = "absent"
"""The bundle's stand-in for a package that a profile does without."""


@cache
def bundle() -> Path:
    """The bundle's folder, made once for each version of its content."""
    files = _files()
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    target = run_folder() / f"code-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return target
    making = Path(tempfile.mkdtemp(dir=run_folder()))
    making.chmod(0o755)
    for name, path in files:
        destination = making / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, destination)
        destination.chmod(0o644)
    for folder in making.rglob("*/"):
        folder.chmod(0o755)  # kernels of other users read it, whatever this user's umask is
    try:
        making.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(making)
    return target


def _files() -> list[tuple[str, Path]]:
    """(name in the bundle, path) of each file, in a fixed order."""
    here = Path(inside.__file__).parent
    files = [(f"inside/{path.name}", path) for path in sorted(here.glob("*.py"))]
    files.append((f"{ABSENT}/__init__.py", here / ABSENT / "__init__.py"))
    spec = importlib.util.find_spec("course")
    for root in (spec.submodule_search_locations or []) if spec else []:
        for folder in COURSE_FOLDERS:
            files += [
                (f"course/{path.relative_to(root)}", path)
                for path in sorted((Path(root) / folder).glob("*"))
                if path.is_file() and path.suffix in COURSE_SUFFIXES
            ]
    return files
