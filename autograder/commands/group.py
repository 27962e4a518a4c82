"""Group of commands that answers an unknown command with the ones that there are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup


class CommandGroup(TyperGroup):
    """The commands of the program, or of one of its groups such as `image`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Called by Typer with the command's name and its arguments; an unknown name ends the program with exit 2."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            close = get_close_matches(args[0], known, 1)
            meant = f". Did you mean {close[0]!r}?" if close else "."
            ctx.fail(f"There is no command {args[0]!r}{meant} Expected one of: {', '.join(known)}")
        return super().resolve_command(ctx, args)
