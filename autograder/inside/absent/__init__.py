"""Mounted over a package that an exercise does without: whoever imports it is told so."""

name = __name__.partition(".")[0]
raise ModuleNotFoundError(f"No module named {name!r}: this exercise does without it", name=name)
