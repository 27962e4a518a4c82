"""Checks of `vault`: each exercise twice with inputs that nobody has seen, so that cached answers are wrong ones."""

from autograder.checks import Case, check, close, equal

from . import reference


@check(cell="scale", points=20)
def factors(student, draw):
    """Several factors."""
    for case in draw.cases([Case(draw.normal(5), draw.integer(2, 9)) for _ in range(3)]):
        close(student.scale(*case.args), reference.scale(*case.args))


@check(cell="scale", points=20)
def shapes(student, draw):
    """Arrays of several shapes."""
    for case in draw.cases([Case(draw.normal(*shape), 3.0) for shape in ((4,), (2, 3), (2, 1, 3))]):
        close(student.scale(*case.args), reference.scale(*case.args))


@check(cell="smooth", points=20)
def short_signals(student, draw):
    """Signals of 4 to 8 samples."""
    for case in draw.cases([Case(draw.tensor.normal(draw.integer(4, 8))) for _ in range(3)]):
        close(student.smooth(*case.args), reference.smooth(*case.args))


@check(cell="smooth", points=20)
def a_long_signal(student, draw):
    """A signal of 500 samples."""
    signal = draw.tensor.normal(500)
    close(student.smooth(signal), reference.smooth(signal))


@check(cell="spell", points=20)
def digits(student, draw):
    """Numbers up to a million."""
    for case in draw.cases([Case(draw.integer(10, 10**6)) for _ in range(3)]):
        equal(student.spell(*case.args), reference.spell(*case.args))
