"""A Jupyter session that reads whatever a hostile kernel sends: what is no message is one that nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_client.session import Session

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What jupyter_client and nbclient raise for messages that are not as Jupyter writes them."""
PARTS = ("header", "parent_header", "metadata", "content")
MAX_SIGNS = 2**21
"""Commas and brackets of a message's JSON: `[],` has three bytes, and what Python makes of it eighty."""


MAX_JSON = 2**24
"""Bytes of a message's JSON: all text that an answer may have, each character in its longest form."""


class WarySession(Session):  # type: ignore[misc]  # its base is not typed
    """The key is within the student's reach: a signature shows who sent a message, not that it is sound."""

    def feed_identities(self, msg_list: Sequence[Any], copy: bool = True) -> tuple[list[bytes], Sequence[Any]]:
        """Called by `ZMQSocketChannel._recv()`: topic and message; no topic where no delimiter ends it."""
        try:
            return super().feed_identities(msg_list, copy)  # type: ignore[no-any-return]  # as above
        except ValueError:
            return [], msg_list

    def deserialize(self, msg_list: Sequence[Any], content: bool = True, copy: bool = True) -> dict[str, Any]:
        """Called by `ZMQSocketChannel._recv()`: the message, its `size` in bytes, and those of its `json`.

        One without type and content stands for what does not parse or is not signed.
        """
        try:
            message = {} if _is_bloated(msg_list[1:5]) else super().deserialize(msg_list, content, copy)
        except UNREADABLE:
            message = {}
        sound = all(isinstance(message.get(part), dict) for part in PARTS)
        if not sound or not isinstance(message["header"].get("msg_type"), str):
            message = {"msg_id": "", "msg_type": "", **{part: {} for part in PARTS}, "buffers": []}
        return {**message, "size": sum(map(len, msg_list)), "json": sum(map(len, msg_list[1:5]))}


def _is_bloated(parts: Sequence[Any]) -> bool:
    """Whether the JSON of a message has more bytes or parts than any answer of ours."""
    if sum(map(len, parts)) > MAX_JSON:
        return True
    long = [bytes(part) for part in parts if len(part) > MAX_SIGNS]
    return sum(text.count(sign) for text in long for sign in (b",", b"[", b"{")) > MAX_SIGNS
