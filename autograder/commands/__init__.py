"""The commands: each parses its options, calls what does the work, and prints. `autograder.cli` names them."""
