"""Notebooks as data: read what a student handed in, make it gradable, and release assignments from their sources."""
