"""nbgrader's gradebook: scores in, and the page that tells a student what was found.

Most modules here import nbgrader, which takes about a second: import them where they are needed.
"""
