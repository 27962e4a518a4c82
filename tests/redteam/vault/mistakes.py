"""One mistake of `vault`: a failed check that is diagnosed runs code on the trusted side."""

from autograder.checks import mistake


@mistake(of="scale", hint="You add the factor instead of multiplying by it.")
def adds(x, factor):
    return x + factor
