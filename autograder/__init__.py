"""Grade CNN course notebooks: student code in sandboxes, checks outside, only plain arrays across."""

__version__ = "0.1.0"
