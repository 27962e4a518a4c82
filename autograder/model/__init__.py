"""Plain data: assignment, submission, report. Imports the standard library alone."""
