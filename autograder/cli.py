"""The program `autograder`: its commands by name, and how it ends."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, NoReturn

import typer

from autograder import __version__
from autograder.commands import course, extending, grading, interrupted, machine, results
from autograder.commands.group import CommandGroup
from autograder.commands.interrupted import INTERRUPTED, RunInterruptedError
from autograder.console import err, note, out, warn
from autograder.errors import CheckerError, SandboxError, UsageError

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""Grade CNN course notebooks: student code runs in sandboxes, checks run outside.

    A first round, in the project's folder:

      autograder doctor                            which walls stand on this machine
      autograder release                           make the students' notebooks
      autograder check my.ipynb -a convolution     grade one file, read the report
      autograder grade                             grade course/submitted/
      autograder grade convolution --dry-run       which scores would change?
      autograder extend ada convolution --by 2d    a later due date for one student
      autograder feedback                          a page for each student
      autograder export                            all scores in one table
    """,
)
images = typer.Typer(cls=CommandGroup, no_args_is_help=True, help="The container image that Docker sandboxes run.")
app.command(epilog=course.RELEASE_EXAMPLES)(course.release)
app.command(epilog=grading.CHECK_EXAMPLES)(grading.check)
app.command(epilog=grading.GRADE_EXAMPLES)(grading.grade)
app.command(epilog=course.AUDIT_EXAMPLES)(course.audit)
app.command(epilog=results.FEEDBACK_EXAMPLES)(results.feedback)
app.command(epilog=results.EXPORT_EXAMPLES)(results.export)
app.command(epilog=extending.EXAMPLES)(extending.extend)
app.command()(machine.doctor)
app.add_typer(images, name="image")
images.command("build")(machine.build)


def main() -> None:
    """The entry point: one line for an error, exit 2 for wrong use, 1 for what failed, 130 for Ctrl-C."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.showwarning = warn
    try:
        app()
    except UsageError as error:
        note("error", str(error))
        sys.exit(2)
    except (CheckerError, SandboxError) as error:
        kind = "checks" if isinstance(error, CheckerError) else "sandbox"
        note(f"{kind} failed", str(error))
        sys.exit(1)
    except RunInterruptedError as stop:
        _interrupted(str(stop))
    except KeyboardInterrupt:
        _interrupted(interrupted.kept(sys.argv[1:]))
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer makes one of Ctrl-C
            _interrupted(interrupted.kept(sys.argv[1:]))
        raise


def _interrupted(kept: str) -> NoReturn:
    err.print(f"interrupted: {kept}" if kept else "interrupted", highlight=False, markup=False, soft_wrap=True)
    sys.exit(INTERRUPTED)


def _version(asked: bool) -> None:
    if asked:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    return


if __name__ == "__main__":
    main()
