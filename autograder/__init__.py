"""Grade CNN course notebooks: student code in sandboxes, checks outside, only plain arrays across."""

import sys

# jsonschema (by way of nbformat) would load a grammar of international web addresses, a second of CPU at every start,
# to check a format that notebooks do not use; it does without where the module is not to be had.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
