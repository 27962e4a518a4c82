"""Sizes, parameters, multiplications and receptive fields, from one layer to ResNet-18."""
