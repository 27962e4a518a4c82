"""The right answers of `vault`."""


def scale(x, factor):
    return x * factor


def smooth(x):
    return (x[1:] + x[:-1]) / 2


def spell(n):
    return str(n)
