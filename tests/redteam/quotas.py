"""Attacks that use up what the whole machine, or every process of a user, shares (line 32 of docs/security.md)."""

from __future__ import annotations

from textwrap import dedent

from attack import Attack

HERE = """
import ctypes, mmap, os, pty, resource, signal, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
held = []
def taken(number, *arguments):
    found = libc.syscall(number, *arguments)
    if found < 0:
        return False
    held.append(found)
    return True
"""
TAKING = {
    "all AIO contexts of the machine": "any(taken(206, 2**n, ctypes.byref(ctypes.c_ulong())) for n in range(17))",
    "all inotify instances of its user": "any(taken(294, 0) for _ in range(200))",
    "a fanotify group": "taken(300, 0x200, 0)",
    "performance counters": "taken(298, struct.pack('IIQ104x', 1, 120, 0), 0, -1, -1, 0)",
    "rings of io_uring": "any(taken(425, 1 << n, bytes(120)) for n in range(16))",
    "keys of its user": "any(taken(248, b'user', str(n).encode(), b'x' * 100, 100, -3) for n in range(50))",
    "message queues": "any(taken(240, b'q%d' % n, 0o102, 0o600, None) or taken(68, n, 0o1600) for n in range(50))",
    "shared memory and semaphores": "any(taken(29, n, 4096, 0o1600) or taken(64, n, 9, 0o1600) for n in range(1, 50))",
    "memory without a file": "taken(319, b'x', 0) or taken(447, 0)",
    "page faults": "taken(323, 1)",
    "pages of pipes": "taken(278, os.pipe()[1], struct.pack('QQ', id(held), 8), 1, 0)",
    "all terminals of the machine": "any(pty.openpty() for _ in range(100))",
    "memory that is never paged out": "mmap.mmap(-1, 2**20) and libc.mlockall(3) == 0",
}


def _attack(name: str, expression: str) -> Attack:
    body = f"""
        def spell(n):
            try:
                return str(n) if {expression} else 0
            except OSError as error:
                return error.errno or 0
        """
    return Attack(32, f"takes {name}", spell=HERE + dedent(body), says={"spell": "should be a string, found a number"})


ATTACKS = [
    *(_attack(name, expression) for name, expression in TAKING.items()),
    Attack(
        32,
        "takes timers without end",
        spell=HERE
        + dedent("""
            def spell(n):
                timer = ctypes.c_int()
                count = 0
                while count < 10_000 and libc.syscall(222, 1, None, ctypes.byref(timer)) == 0:
                    count += 1
                return str(n) if count == 10_000 else 0
            """),
        says={"spell": "should be a string, found a number"},
    ),
    Attack(
        32,
        "has everybody wait for the disks",
        first=HERE + "for _ in range(1000):\n    os.sync()\n",
    ),
]
