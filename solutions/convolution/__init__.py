"""Convolution by hand: from a sliding dot product to the layer of a CNN, in numpy."""
