"""An assignment of milliseconds that imports torch and lightning: what grading it costs is the grader's own cost."""
