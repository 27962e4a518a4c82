"""Checks of `light`: few cases, small inputs."""

from autograder.checks import Case, check, close, equal

from . import reference


@check(cell="relu", points=20)
def rectified(student, draw):
    """Random arrays of one, two and three axes."""
    for case in draw.cases([Case(draw.normal(7)), Case(draw.normal(3, 5)), Case(draw.normal(2, 3, 4))]):
        close(student.relu(*case.args), reference.relu(*case.args))


@check(cell="softmax", points=10)
def probabilities(student, draw):
    """Rows of logits give rows of probabilities."""
    for case in draw.cases([Case(draw.normal(3, 10)), Case(3.0 * draw.normal(5, 4))]):
        close(student.softmax(*case.args), reference.softmax(*case.args))


@check(cell="softmax", points=10)
def large_logits(student, draw):
    """Logits around 1000 do not overflow."""
    logits = 1000.0 + draw.normal(2, 6)
    close(student.softmax(logits), reference.softmax(logits))


@check(cell="output_size", points=20, reveal="inputs")
def sizes(student, draw):
    """Several kernels, strides and paddings."""
    options = [{"stride": draw.integer(1, 3), "padding": draw.integer(1, 2)} for _ in range(4)]
    for case in draw.cases([Case(draw.integer(9, 32), draw.integer(2, 5), **each) for each in options]):
        equal(student.output_size(*case.args, **case.kwargs), reference.output_size(*case.args, **case.kwargs))


@check(cell="correlate1d", points=20)
def sliding(student, draw):
    """Random signals, kernels of 2, 3 and 5 weights."""
    for case in draw.cases([Case(draw.normal(draw.integer(8, 12)), draw.normal(k)) for k in (2, 3, 5)]):
        close(student.correlate1d(*case.args), reference.correlate1d(*case.args))


@check(cell="Standardise", points=20)
def channels(student, draw):
    """Each channel has mean 0 and variance 1 over the images of the batch and their pixels."""
    layer, expected = student.Standardise(eps=0.1), reference.Standardise(eps=0.1)
    for case in draw.cases([Case(2.0 + 3.0 * draw.tensor.normal(4, 3, 5, 6)), Case(draw.tensor.normal(2, 1, 3, 3))]):
        close(layer(*case.args), expected(*case.args))
