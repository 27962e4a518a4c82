"""Notebooks as data: read what was handed in, make it gradable, release assignments from sources."""
