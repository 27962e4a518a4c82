"""Code of installed packages: told from a student's by what is on disk, where no student's code can write."""

from __future__ import annotations

import builtins
import sys
import sysconfig
import types
from collections.abc import Sequence

globals()["__builtins__"] = dict(vars(builtins))  # a copy: what a student's code patches is not used here


class Library:
    """The code of installed packages, as it is on disk."""

    def __init__(self) -> None:
        paths = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
        paths |= {path for path in sys.path if path.rstrip("/").endswith(("/site-packages", "/dist-packages"))}
        self._roots = tuple(f"{path.rstrip('/')}/" for path in paths)
        self._codes: dict[str, frozenset[types.CodeType]] = {}
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        self.loaded = {file for file in files if isinstance(file, str) and ".so" in file}
        self._open, self._compile = open, compile

    def holds(self, file: str) -> bool:
        """Whether a file is one of a package's."""
        return file.startswith(self._roots) and "/../" not in file

    def has(self, code: types.CodeType) -> bool:
        """Whether `code` is what a package's file says."""
        file = code.co_filename
        if file not in self._codes:
            self._codes[file] = frozenset(self._read(file)) if self.holds(file) else frozenset()
        return code in self._codes[file]

    def _read(self, file: str) -> Sequence[types.CodeType]:
        try:
            with self._open(file, "rb") as source:
                found = [self._compile(source.read(), file, "exec", dont_inherit=True)]
        except (OSError, SyntaxError, ValueError):
            return ()
        for code in found:
            found += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        return found
