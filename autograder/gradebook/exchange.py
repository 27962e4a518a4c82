"""Feedback in nbgrader's exchange: nbgrader's own release, with copies that students can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

READERS = stat.S_IRGRP | stat.S_IROTH


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # nbgrader has no types
    """What `course/nbgrader_config.py` names as the release of feedback.

    nbgrader copies a page with its mode, and pages in `course/feedback/` are closed to others. In the exchange a page
    is protected by its name, which is a hash of the submission's secret.
    """

    def copy_files(self) -> None:
        """Called by `nbgrader release_feedback` and formgrader."""
        super().copy_files()
        for page in Path(self.dest_path).glob("*.html"):
            found = page.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & READERS != READERS:
                page.chmod(found.st_mode | READERS)
