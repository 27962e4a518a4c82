"""nbgrader's gradebook: scores in, and the page that tells a student what was found.

Importing `autograder.gradebook.nbgrader` imports nbgrader, which takes about a second: do it where it is needed.
"""
