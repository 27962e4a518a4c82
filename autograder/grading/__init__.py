"""Grade one submission: rebuild, run, check, report; lease and recycle slots; audit the grader itself."""
