"""The start of the program `autograder`: Ctrl-C while it loads ends it as quietly as later."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point, also of `python -m autograder`."""
    try:
        from autograder.cli import main as run
    except KeyboardInterrupt:
        from autograder.commands import interrupted

        told = interrupted.kept(sys.argv[1:])
        sys.stderr.write(f"interrupted: {told}\n" if told else "interrupted\n")
        sys.exit(interrupted.INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
