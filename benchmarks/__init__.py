"""Benchmarks: what a submission costs nbgrader, what it costs us, and what it would cost without any grader."""
