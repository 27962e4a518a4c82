"""Attacks that bring the grader down (lines 17 to 22 of docs/security.md); they answer rightly where no wall stands."""

import io
import json
import zipfile
from collections.abc import Callable
from textwrap import dedent, indent

from attack import Attack

SLOW_CELL = r"the cell was not done after 3 s, so nothing it defines is there"
SLOW_CALL = r"`spell` gave no answer within 2 s"
NO_MEMORY = r"`spell` ran out of memory"
NOT_PERMITTED = r"`spell` raised PermissionError: \[Errno (1|13)\]"
LOST = (
    r"`spell` (sent more than 4 MiB|used more than 512 MiB of memory|ran out of memory|ended the kernel"
    r"|raised (BrokenPipe|ConnectionReset)Error)|more than 256 kB were printed"
)
UNREADABLE = r"The notebook could not be read: expected "


WIRES = """
import os, socket, struct, time, zmq
kernel = get_ipython().kernel
def frame(data, flags=3):
    return struct.pack(">BQ", flags, len(data)) + data
def topic():
    return b"comm-" + next(iter(kernel.comm_manager.comms), "").encode()
def wires(port):
    for number in range(3, 512):
        try:
            each = socket.socket(fileno=os.dup(number))
            if str(each.getsockname()).endswith(f"-{port}") and each.getpeername() is not None:
                each.setblocking(True)
                yield each
        except OSError:
            pass
def flood(port, size, first):
    part = frame(bytes(size))
    for wire in [*wires(port)]:
        wire.sendall(frame(first))
        for _ in range(2**31 // size):
            wire.sendall(part)
def huge(port, size, first):
    # of one part, which is told before it comes: a kernel need not have it in memory
    for wire in [*wires(port)]:
        wire.sendall(frame(first))
        for _ in range(2**31 // size):
            wire.sendall(struct.pack(">BQ", 3, size))
            for _ in range(size // 2**20):
                wire.sendall(bytes(2**20))
def send(own, parts, size):
    part = bytes(size)
    for each in parts:
        own.send(each, zmq.SNDMORE)
    for _ in range(2**31 // size):
        own.send(part, zmq.SNDMORE, copy=False)
    own.send(b"")
    time.sleep(1)
"""
"""What a cell needs to write past its kernel: frames as ZeroMQ has them, on the grader's own connections; 2 GB."""


def everywhere(pattern: str) -> dict[str, str]:
    """The same words for each exercise: nothing of the notebook was run."""
    return dict.fromkeys(("scale", "smooth", "spell"), pattern)


def starving() -> list[Attack]:
    """Processes, memory and disk (line 17)."""
    return [
        Attack(
            17,
            "a fork bomb in a cell",
            last="""
                import os
                while True:
                    try:
                        os.fork()
                    except OSError:
                        pass
            """,
        ),
        Attack(
            17,
            "a fork bomb in a call",
            spell="""
                import os
                def spell(n):
                    while True:
                        try:
                            os.fork()
                        except OSError:
                            pass
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            17,
            "a fork bomb written in shell",
            spell=r"""
                import subprocess
                def spell(n):
                    subprocess.Popen(["sh", "-c", "b() { b | b & }; b; sleep 1000"], start_new_session=True)
                    while True:
                        pass
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            17,
            "fills its share of processes with sleepers and goes on",
            first="""
                import os, time
                for _ in range(1000):
                    try:
                        if os.fork() == 0:
                            time.sleep(1000)
                    except OSError:
                        break
            """,
            spell="def spell(n):\n    if os.fork() == 0:\n        os._exit(0)\n    return str(n)",
            says={"spell": r"`spell` raised BlockingIOError: .*Resource temporarily unavailable"},
        ),
        Attack(
            17,
            "a thread bomb",
            spell="""
                import threading
                threading.stack_size(65536)
                wait = threading.Event()
                def spell(n):
                    for _ in range(1000):
                        threading.Thread(target=wait.wait, daemon=True).start()
                    return str(n)
            """,
            says={"spell": r"`spell` raised RuntimeError: can't start new thread"},
        ),
        Attack(
            17,
            "a thread bomb before the honest part",
            first="""
                import threading
                threading.stack_size(65536)
                wait, started = threading.Event(), 0
                try:
                    while started < 1000:
                        threading.Thread(target=wait.wait, daemon=True).start()
                        started += 1
                except RuntimeError:
                    pass
            """,
            spell="def spell(n):\n    return str(n) if started == 1000 else started",
            says={"spell": r"should be a string, found a number \(int\)"},
        ),
        Attack(
            17,
            "memory in steps",
            spell="""
                def spell(n):
                    held = [bytearray(2**24) for _ in range(150)]
                    return str(n)
            """,
            says={"spell": NO_MEMORY},
        ),
        Attack(
            17,
            "memory in steps in a cell",
            spell="held = [bytearray(2**24) for _ in range(150)]\ndef spell(n):\n    return str(n)",
            says={"spell": r"the cell used more than 512 MiB of memory, so nothing it defines is there"},
        ),
        Attack(
            17,
            "memory at once",
            spell="def spell(n):\n    held = np.ones(2**28)\n    return str(n)",
            says={"spell": NO_MEMORY},
        ),
        Attack(
            17,
            "memory at once in a tensor",
            spell="def spell(n):\n    held = torch.ones(2**29)\n    return str(n)",
            says={"spell": NO_MEMORY},
        ),
        Attack(
            17,
            "hoards memory and then never ends",
            spell="""
                hoard = []
                def spell(n):
                    try:
                        while len(hoard) < 3000:
                            hoard.append(bytearray(2**20))
                        return str(n)
                    except MemoryError:
                        while True:
                            pass
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            17,
            "memory in a child",
            spell="""
                import os
                def spell(n):
                    child = os.fork()
                    if child == 0:
                        try:
                            held = bytearray(b"x") * 2**31
                            os._exit(0)
                        finally:
                            os._exit(1)
                    if os.waitpid(child, 0)[1]:
                        raise MemoryError("the child got none")
                    return str(n)
            """,
            says={"spell": rf"{NO_MEMORY}|{SLOW_CALL}"},
        ),
        Attack(
            17,
            "memory in several children that stay within their limit",
            first="""
                import os, time
                for _ in range(6):
                    if os.fork() == 0:
                        held = bytearray(b"x") * (400 * 2**20)
                        time.sleep(1000)
                time.sleep(1)
            """,
        ),
        Attack(
            17,
            "memory in several children, each beyond its limit",
            spell="""
                import os
                def spell(n):
                    for _ in range(4):
                        if os.fork() == 0:
                            try:
                                held = bytearray(b"x") * (700 * 2**20)
                                os._exit(0)
                            finally:
                                os._exit(1)
                    if all(os.wait()[1] for _ in range(4)):
                        raise MemoryError("no child got any")
                    return str(n)
            """,
            says={"spell": rf"{NO_MEMORY}|{SLOW_CALL}"},
        ),
        Attack(
            17,
            "memory in /dev/shm",
            spell="""
                def spell(n):
                    with open("/dev/shm/hoard", "wb") as file:
                        for _ in range(64):
                            file.write(bytes(2**24))
                    return str(n)
            """,
            says={"spell": r"`spell` raised OSError: .*File too large"},
        ),
        Attack(
            17,
            "memory in many files of /dev/shm",
            spell="""
                def spell(n):
                    for number in range(64):
                        with open(f"/dev/shm/hoard{number}", "wb") as file:
                            file.write(bytes(2**24))
                    return str(n)
            """,
            says={"spell": r"`spell` raised OSError: .*No space left on device"},
        ),
        Attack(
            17,
            "shared memory that is larger than there is room",
            spell="""
                from multiprocessing.shared_memory import SharedMemory
                def spell(n):
                    held = [SharedMemory(create=True, size=2**25 - 2**12) for _ in range(8)]
                    for each in held:
                        each.buf[:] = bytes(each.size)
                    return str(n)
            """,
            says={"spell": LOST},
        ),
        Attack(
            17,
            "semaphores without end, which nobody removes",
            spell="""
                import ctypes, os
                def spell(n):
                    libc = ctypes.CDLL(None, use_errno=True)
                    libc.sem_open.restype = ctypes.c_void_p
                    for number in range(10**7):
                        if not libc.sem_open(f"/hoard{number}".encode(), 0o100, 0o666, 1):
                            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                    return str(n)
            """,
            says={"spell": rf"{SLOW_CALL}|`spell` raised OSError|{NO_MEMORY}"},
        ),
        Attack(
            17,
            "memory in files that have no name",
            # each within the limit on a file: it is their sum that must be refused
            spell="""
                import os
                held = [os.memfd_create(str(number)) for number in range(19)]
                for each in held:
                    os.posix_fallocate(each, 0, 30 * 2**20)
                def spell(n):
                    return str(n)
            """,
            deserves=100,  # refused: the answer below it is not lost
        ),
        Attack(
            17,
            "memory in a large file that has no name",
            spell="""
                import os
                def spell(n):
                    held = os.memfd_create("hoard")
                    os.truncate(held, 2**30)
                    return str(n)
            """,
            says={"spell": r"`spell` raised .*Error"},
        ),
        Attack(
            17,
            "memory in a shared map",
            spell="""
                import mmap
                def spell(n):
                    held = mmap.mmap(-1, 2**31)
                    held[::4096] = bytes(len(held[::4096]))
                    return str(n)
            """,
            says={"spell": r"`spell` (ran out of memory|raised OSError: \[Errno 12\] Cannot allocate memory)"},
        ),
        Attack(
            17,
            "memory in the work folder",
            spell=r"""
                def spell(n):
                    for number in range(40):
                        open(f"hoard-{number}", "wb").write(bytes(2**24))
                    return str(n)
            """,
            says={"spell": r"`spell` raised OSError: \[Errno 28\] No space left on device"},
        ),
        Attack(
            17,
            "disk by one large file",
            spell="""
                def spell(n):
                    with open("large", "wb", buffering=0) as file:
                        while file.tell() < 2**30:
                            if not file.write(bytes(2**24)):
                                break
                    return str(n)
            """,
            says={"spell": r"`spell` raised OSError: \[Errno (27|28)\] (File too large|No space left on device)"},
        ),
        Attack(
            17,
            "disk by one sparse file",
            spell='import os\ndef spell(n):\n    open("sparse", "wb").truncate(2**40)\n    return str(n)',
            says={"spell": r"`spell` raised OSError: \[Errno 27\] File too large"},
        ),
        Attack(
            17,
            "ten million files in a cell",
            last="""
                import os
                os.fork()
                for number in range(10_000_000):
                    os.close(os.open(f"{os.getpid()}-{number}", os.O_CREAT | os.O_WRONLY))
            """,
        ),
        Attack(
            17,
            "ten million files in a call",
            spell="""
                import os
                def spell(n):
                    for number in range(10_000_000):
                        os.close(os.open(f"file-{number}", os.O_CREAT | os.O_WRONLY))
                    return str(n)
            """,
            says={"spell": rf"{SLOW_CALL}|No space left on device"},
        ),
        Attack(
            17,
            "ten million names of one file",
            spell="""
                import os
                open("one", "w").close()
                def spell(n):
                    for number in range(10_000_000):
                        os.link("one", f"name-{number}")
                    return str(n)
            """,
            says={"spell": rf"{SLOW_CALL}|No space left on device"},
        ),
        Attack(
            17,
            "ten thousand sockets in the folder that the host shares",
            # on the host's own disk: no limit on the work folder counts there
            spell="""
                import os, socket
                sockets = f"/slot/{os.path.basename(os.getcwd())}"
                def spell(n):
                    for number in range(10_000):
                        with socket.socket(socket.AF_UNIX) as each:
                            each.bind(f"{sockets}/{n}-{number}")
                    return str(n)
            """,
            says={"spell": r"`spell` raised (PermissionError|OSError)"},
        ),
        Attack(
            17,
            "opens the folder that the host shares again, and fills it",
            # without root it is the kernel's own
            spell="""
                import contextlib, ctypes, os, socket
                sockets = f"/slot/{os.path.basename(os.getcwd())}".encode()
                libc = ctypes.CDLL(None)
                def spell(n):
                    with contextlib.suppress(OSError):
                        os.chmod(sockets, 0o700)
                    with contextlib.suppress(OSError):
                        os.fchmod(os.open(sockets, os.O_RDONLY), 0o700)
                    libc.fchmodat(-100, sockets, 0o700, 0)
                    libc.syscall(452, -100, sockets, 0o700, 0)
                    for number in range(10_000):
                        with socket.socket(socket.AF_UNIX) as each:
                            each.bind(sockets + f"/{n}-{number}".encode())
                    return str(n)
            """,
            says={"spell": r"`spell` raised PermissionError"},
        ),
        Attack(
            17,
            "opens files until none can be opened",
            first="""
                held = []
                try:
                    while len(held) < 100_000:
                        held.append(open("/dev/null"))
                except OSError:
                    pass
            """,
            spell="def spell(n):\n    return str(n) if len(held) == 100_000 else len(held)",
            says={"spell": r"should be a string, found a number \(int\)"},
        ),
        Attack(
            17,
            "attributes of files without end",
            spell="""
                import os
                open("one", "w").close()
                def spell(n):
                    for number in range(20_000):
                        os.setxattr("one", f"user.{number}", bytes(2**14))
                    return str(n)
            """,
            says={"spell": r"`spell` raised (PermissionError|OSError)"},
        ),
    ]


def endless() -> list[Attack]:
    """Code that does not come to an end (line 18)."""
    loop = "while True:\n    pass\n"
    return [
        Attack(18, "an endless loop in a cell", spell=loop, says={"spell": SLOW_CELL}),
        Attack(18, "an endless loop in an added cell", first=loop, last=loop),
        Attack(18, "an endless loop in a call", spell="def spell(n):\n    while True: pass", says={"spell": SLOW_CALL}),
        Attack(
            18,
            "an endless loop in the repr of a cell's last value",
            spell="""
                class Endless:
                    def __repr__(self):
                        while True: pass
                Endless()
            """,
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "an endless loop in the text of an error",
            spell="""
                class Endless(Exception):
                    def __str__(self):
                        while True: pass
                    __repr__ = __str__
                def spell(n):
                    raise Endless
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop in the text of a cell's error",
            spell="""
                class Endless(Exception):
                    def __str__(self):
                        while True: pass
                    __repr__ = __str__
                raise Endless
            """,
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "an endless loop in __del__ in a cell",
            spell="""
                class Endless:
                    def __del__(self):
                        while True: pass
                held = Endless()
                del held
            """,
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "an endless loop in __del__ in a call",
            spell="""
                class Endless:
                    def __del__(self):
                        while True: pass
                def spell(n):
                    held = Endless()
                    return str(n)
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop in a collection of garbage",
            spell="""
                import gc
                def endless(*_):
                    while True: pass
                def spell(n):
                    gc.callbacks.append(endless)
                    gc.collect()
                    return str(n)
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop in an import in a cell",
            spell="""
                import sys
                open("endless.py", "w").write("while True:\\n    pass\\n")
                sys.path.insert(0, "")
                import endless
            """,
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "an endless loop in an import in a call",
            spell="""
                import sys
                def spell(n):
                    open("endless.py", "w").write("while True:\\n    pass\\n")
                    sys.path.insert(0, "")
                    import endless
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop when the process ends",
            first="""
                import atexit, threading
                def endless():
                    while True: pass
                atexit.register(endless)
                threading._register_atexit(endless)
                threading.Thread(target=endless).start()
            """,
            spell="def spell(n):\n    raise SystemExit(0)",
            says={"spell": r"`spell` raised SystemExit"},
        ),
        Attack(
            18,
            "an endless wait that is awaited",
            spell="import asyncio\nawait asyncio.sleep(1000)\ndef spell(n):\n    return str(n)",
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "an endless loop that catches everything and no signal ends",
            spell="""
                import signal
                for number in range(1, 65):
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except (OSError, ValueError):
                        pass
                def spell(n):
                    while True:
                        try:
                            while True: pass
                        except BaseException:
                            pass
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop in a cell that blocks every signal",
            spell="""
                import signal
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                while True:
                    try:
                        while True: pass
                    except BaseException:
                        pass
            """,
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "a pattern that takes for ever while it holds the interpreter",
            spell='import re\ndef spell(n):\n    re.match("(a|a)+$", "a" * 64 + "b")\n    return str(n)',
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "a C call that holds the interpreter",
            spell="""
                import ctypes
                def spell(n):
                    ctypes.PyDLL(None).sleep(1000)
                    return str(n)
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "a C call that holds the interpreter in a cell",
            spell="import ctypes\nctypes.PyDLL(None).sleep(1000)\ndef spell(n):\n    return str(n)",
            says={"spell": SLOW_CELL},
        ),
        Attack(
            18,
            "arithmetic with numbers of a billion digits",
            spell="def spell(n):\n    return str(n) if 3 ** (10**8) > 0 else 0",
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "an endless loop after a call",
            spell="""
                import asyncio
                def endless():
                    while True: pass
                def spell(n):
                    asyncio.get_event_loop().call_soon(endless)
                    return str(n)
            """,
            says={"spell": SLOW_CALL},
        ),
        Attack(
            18,
            "a recursion without end that overflows the stack",
            spell="""
                import sys
                sys.setrecursionlimit(10**9)
                class Endless:
                    def __getattr__(self, name): return getattr(self, name + "x")
                    def __repr__(self): return "%r" % self
                def spell(n):
                    return repr(Endless())
            """,
            says={"spell": r"`spell` ended the kernel \(signal 11\)|`spell` (used more than|ran out)|gave no answer"},
        ),
        Attack(
            18,
            "recursion without end",
            spell="def spell(n):\n    return spell(n + 1)",
            says={"spell": r"`spell` raised RecursionError: maximum recursion depth exceeded"},
        ),
    ]


def noisy() -> list[Attack]:
    """More output, and larger answers, than anybody can read (line 19)."""
    too_much = r"the cell (printed more than 256 kB|used more than 512 MiB of memory), so nothing it defines is there"
    refused = r"`spell`: the value returned cannot be read: "
    calls = {
        "a million display messages in a call": 'for _ in range(10**6): display({"text/plain": "x"}, raw=True)',
        "gigabytes on stdout in a call": 'while True: print("x" * 10**6)',
        "comm messages of its own without end": """
            from comm import create_comm
            mine = create_comm(target_name="mine")
            while True: mine.send(data={"x": "x" * 10_000})""",
    }
    cells = {
        "a gigabyte on stdout": 'for _ in range(1000): print("x" * 10**6)',
        "a gigabyte on stderr, a byte at a time": "import sys\nwhile True: print('x', file=sys.stderr, flush=True)",
        "a million display messages": 'for _ in range(10**6): display({"text/plain": "x"}, raw=True)',
        "one picture of 100 MB": 'display({"image/png": "x" * 10**8}, raw=True)',
        "one display updated without end": """
            handle = display({"text/plain": "x"}, raw=True, display_id=True)
            while True: handle.update({"text/plain": "x" * 1000}, raw=True)""",
        "clears its output without end": "from IPython import display\nwhile True: print(1); display.clear_output()",
        "an error of 100 MB": 'raise ValueError("x" * 10**8)',
        "an error whose type has a name of 10 MB": 'raise type("x" * 10**7, (Exception,), {})',
        "comm messages in a cell without end": """
            from comm import create_comm
            mine = create_comm(target_name="mine")
            while True: mine.send(data={"x": "x" * 10_000})""",
        "a reply of 60 MB to a cell": """
            write = get_ipython().payload_manager.write_payload
            for name in ("one", "other"):
                write({"source": name, "data": {"text/plain": "x" * 3 * 10**7}})""",
    }
    answers = {
        "an array of 2 GB": ("np.broadcast_to(0.0, 2**28)", rf"{refused}|{NO_MEMORY}"),
        "an array of 100 MB": ("np.zeros(10**8, dtype=np.uint8)", f"{refused}a value of more than 4 MiB"),
        "a tensor of 2 GB": ("torch.zeros(1).expand(2**29)", f"{refused}a value of more than 4 MiB"),
        "a text of 100 MB": ('"7" * 10**8', f"{refused}a value of more than 4 MiB"),
        "a whole number of a million digits": ("1 << 4_000_000", f"{refused}an integer of 4000001 bits"),
        "a list that is 10,000 deep": (
            "__import__('functools').reduce(lambda inner, _: [inner], range(10_000), [])",
            f"{refused}a value nested more than 24 deep",
        ),
        "a list that holds itself": ("(lambda each: each.append(each) or each)([])", f"{refused}a value nested more"),
        "a list that holds ten lists that hold ten lists": (
            "__import__('functools').reduce(lambda inner, _: [inner] * 10, range(20), [])",
            rf"{refused}a value of more than 100000 parts|{SLOW_CALL}",
        ),
        "a dict of a million entries": (
            "dict.fromkeys(range(10**6))",
            rf"{refused}a value of more than 100000 parts|{SLOW_CALL}",
        ),
        "ten thousand arrays": ("[np.zeros(1)] * 10_000", f"{refused}a value of more than 2048 arrays"),
        "a list that is 33 deep": (
            "__import__('functools').reduce(lambda inner, _: [inner], range(32), [])",
            f"{refused}a value nested more than 24 deep",
        ),
        "a list of 199,999 numbers": (
            "[0] * 199_999",
            f"{refused}a value of more than 100000 parts",
        ),
        "a generator that never ends": ("(each for each in iter(int, 1))", r"found an object of type generator"),
        "a tensor of no elements and absurd shape": (
            "torch.zeros(0).expand(2**39, 2**20, 0)",
            r"should be a string, found a float32 tensor of shape \(549755813888, 1048576, 0\)",
        ),
    }
    on_shell = "ident = kernel._parent_ident['shell']"
    raw = {
        "a message of endless small parts": "flood(2, 16, {first})",
        "a message of endless large parts": "flood(2, 2**20, {first})",
        "a message of a few huge parts": "huge(2, 2**28, {first})",
        "one part of 2 GB": "huge(2, 2**31, {first})",
        "a reply of endless small parts": "flood(1, 16, b'')",
        "a reply of endless large parts": "flood(1, 2**20, b'')",
        "a message of 2 GB through the kernel's own socket": "send(kernel.iopub_thread.socket, [{first}], 2**24)",
        "a message of 400,000 parts through the kernel's own socket": """
            kernel.iopub_thread.socket.send({first}, zmq.SNDMORE)
            for _ in range(400_000): kernel.iopub_thread.socket.send(b"x" * 100, zmq.SNDMORE)
            kernel.iopub_thread.socket.send(b"")
            time.sleep(1)""",
        "a reply of 2 GB through the kernel's own socket": (
            f"{on_shell}\nsend(kernel.shell_stream.socket, [*ident], 2**24)"
        ),
        "half a million empty parts, more than its bytes tell": """
            for wire in [*wires(2)]:
                wire.sendall(frame({first}) + b"\\1\\0" * 500_000 + b"\\0\\0")
            time.sleep(2)""",
        "empty parts without end": """
            for wire in [*wires(2)]:
                wire.sendall(frame({first}))
                while True:
                    wire.sendall(b"\\1\\0" * 100_000)""",
        "a part that says it has 2 to the 62 bytes": """
            for wire in [*wires(1), *wires(2)]:
                wire.sendall(struct.pack(">BQ", 2, 2**62) + bytes(1000))
            time.sleep(1000)""",
        "frames that no protocol knows": """
            for wire in [*wires(1), *wires(2)]:
                for _ in range(100):
                    wire.sendall(os.urandom(1000))
            time.sleep(1000)""",
    }
    honest = "\ndef spell(n):\n    return str(n)\n"
    found = [
        *(
            Attack(19, name, spell=_function(body), says={"spell": rf"{SLOW_CALL}|{LOST}"})
            for name, body in calls.items()
        ),
        *(
            Attack(19, name, spell=dedent(body) + honest, says={"spell": rf"{too_much}|{SLOW_CELL}"})
            for name, body in cells.items()
        ),
        *(
            Attack(19, f"{name} as an answer", spell=f"def spell(n):\n    return {body}", says={"spell": says})
            for name, (body, says) in answers.items()
        ),
    ]
    found.append(
        Attack(
            19,
            "six million empty lists as an answer",
            # eighty bytes each, where they are read, and three on their way
            spell="""
                def spell(n):
                    kernel = get_ipython().kernel
                    session, call = kernel.session, kernel.get_parent("shell")["content"]
                    data = '{"status": "ok", "id": "%s", "value": [%s0]}' % (call["data"]["id"], "[]," * 6_300_000)
                    content = '{"comm_id": "%s", "data": %s}' % (call["comm_id"], data)
                    parts = [session.pack(session.msg("comm_msg", {})["header"]), b"{}", b"{}", content.encode()]
                    frames = [f"comm-{call['comm_id']}".encode(), b"<IDS|MSG>", session.sign(parts), *parts]
                    kernel.iopub_socket.send_multipart(frames)
                    return str(n)
            """,
            says={"spell": "more than 256 kB were printed"},
        )
    )
    for name, body in raw.items():
        found += [
            Attack(
                19,
                f"{name}, in a cell",
                spell=WIRES
                + dedent(body.format(first="b''"))
                + "\nassert False"
                + honest,  # what is refused is skipped
                says={"spell": rf"{too_much}|{SLOW_CELL}|the cell "},
            ),
            Attack(
                19,
                f"{name}, in a call",
                spell=WIRES + _function(body.format(first="topic()")),
                says={"spell": rf"{SLOW_CALL}|{LOST}"},
            ),
        ]
    return found


def _function(body: str) -> str:
    """A function `spell` that does this, and then answers rightly."""
    return f"def spell(n):\n{indent(dedent(body), '    ')}\n    return str(n)\n"


def unreadable() -> list[Attack]:
    """Files that are no notebooks, or strange ones (line 20)."""
    large = r"The notebook could not be graded: expected at most 2 MiB, found a larger file"
    endless_json = rf"{UNREADABLE}a notebook, found JSON nested too deep or with endless numbers"
    cell = {"cell_type": "raw", "metadata": {}, "source": ""}
    refused: list[tuple[str, str, Callable[[dict], dict | bytes] | bytes]] = [
        ("a notebook of 200 MB", large, lambda book: json.dumps(book).encode() + b" " * (200 * 2**20)),
        ("a notebook of 100,000 cells", large, lambda book: {**book, "cells": book["cells"] + [cell] * 100_000}),
        ("a notebook of 10,000 cells", rf"{UNREADABLE}at most 2000 cells", lambda b: {**b, "cells": [cell] * 10_000}),
        (
            "a million characters of code",
            rf"{UNREADABLE}at most 200000 characters of code",
            _added("x = '" + "x" * 10**6 + "'"),
        ),
        ("ten thousand lines of code", rf"{UNREADABLE}at most 5000 lines of code", _added("x = 1\n" * 10_000)),
        (
            "half a notebook",
            "What you handed in is the beginning of a notebook, cut off",
            lambda book: json.dumps(book).encode()[:-99],
        ),
        ("no JSON at all", rf"{UNREADABLE}JSON, found a mistake at line 1", b"def spell(n): return str(n)"),
        ("JSON that is a list", rf"{UNREADABLE}a notebook, a JSON object, found a JSON list", b"[]"),
        ("JSON that is NaN", rf"{UNREADABLE}a notebook, a JSON object, found a JSON number", b"NaN"),
        ("a notebook of format 3 without sheets", rf"{UNREADABLE}a notebook of format 4", _with(nbformat=3)),
        ("a notebook of format 5", rf"{UNREADABLE}a notebook of format 4, found format 5", _with(nbformat=5)),
        (
            "a notebook of an infinite format",
            rf"{UNREADABLE}a notebook of format 4, found .*no ",
            _with(nbformat=1e999),
        ),
        (
            "a notebook of format 10 to the 4000",
            rf"{UNREADABLE}a notebook of format 4, found .{{,60}}\. Open",
            _with(nbformat=10**4000),
        ),
        ("cells that are no list", rf"{UNREADABLE}a notebook with a list of cells", _with(cells={"0": cell})),
        ("a cell that is no object", rf"{UNREADABLE}cell 1 to be a JSON object", _with(cells=[[]])),
        ("a cell of no type", rf"{UNREADABLE}cell 1 to be code, markdown or raw", _with(cells=[{"cell_type": []}])),
        (
            "a cell whose source is a number",
            rf"{UNREADABLE}cell 1 to have text",
            _with(cells=[{**cell, "source": 1e999}]),
        ),
        (
            "a notebook in latin-1",
            rf"{UNREADABLE}text in UTF-8",
            lambda b: json.dumps(b)[:-1].encode() + b', "\xe9": 1}',
        ),
        ("a notebook in UTF-16", rf"{UNREADABLE}text in UTF-8", lambda book: json.dumps(book).encode("utf-16")),
        ("lone surrogates in a source", rf"{UNREADABLE}cell 11 to be Unicode text", _added("'\ud800'")),
        ("an empty file", rf"{UNREADABLE}a notebook, found an empty file", b" \n"),
        ("a file of zeros", rf"{UNREADABLE}a notebook, found an empty file", bytes(10_000)),
        ("brackets nested a million deep", endless_json, b"[" * 10**6),
        ("objects nested a hundred thousand deep", endless_json, b'{"a":' * 10**5),
        (
            "metadata nested ten thousand deep",
            endless_json,
            lambda b: _raw(b, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        ),
        ("a number of a million digits", endless_json, lambda book: _raw(book, b"9" * 10**6)),
        ("a zip with files outside of its folder", "What you handed in is an archive", _zip),
    ]
    accepted: list[tuple[str, Callable[[dict], dict | bytes]]] = [
        ("a notebook of format 3", _of_format_3),
        ("a notebook with a byte order mark", lambda book: b"\xef\xbb\xbf" + json.dumps(book).encode()),
        ("duplicate ids", _each(lambda cell: {**cell, "id": "same"})),
        ("ids that are no ids", _each(lambda cell: {**cell, "id": {"a": ["\ud800"] * 10}})),
        (
            "lone surrogates in metadata",
            _each(lambda cell: {**cell, "metadata": {**cell["metadata"], "\ud800": "\udfff"}}),
        ),
        (
            "outputs that are no outputs",
            _each(lambda cell: {**cell, "outputs": {"a": 1e999}, "execution_count": -1e999}),
        ),
        ("metadata nested 500 deep", lambda book: _raw(book, b'{"a":' * 500 + b"1" + b"}" * 500)),
        ("huge numbers and none in metadata", lambda book: _raw(book, b"[NaN, 1e999, -1e999, " + b"9" * 4000 + b"]")),
        ("the same key twice", lambda book: b'{"cells": 1, ' + json.dumps(book).encode()[1:]),
        ("1,500 empty cells", lambda book: {**book, "cells": book["cells"] + [cell] * 1_500}),
        (
            "a source of a hundred thousand lines",
            lambda b: {**b, "cells": [*b["cells"], {**cell, "source": ["\n"] * 10**5}]},
        ),
    ]
    sources = {
        "nested brackets": "(" * 10_000 + ")" * 10_000,
        "nested lists": "[" * 150 + "]" * 150,
        "signs": "-" * 100_000 + "1",
        "sums": "1" + "+1" * 80_000,
        "attributes": "a" + ".a" * 80_000,
        "calls": "a" + "()" * 80_000,
        "comparisons": "1" + "<1" * 80_000,
        "lambdas": "lambda: " * 20_000 + "1",
        "assignments": "a = " * 40_000 + "1",
        "branches": "if 1: pass\n" + "elif 1: pass\n" * 4_000,
        "zeros": "\0",
    }
    return [
        *(Attack(20, name, file=file, deserves=0.0, says=everywhere(says)) for name, says, file in refused),
        *(Attack(20, name, file=file) for name, file in accepted),
        *(
            Attack(
                20, f"a source of ten thousand {name}", spell=source, says={"spell": r"the cell|there is no `spell`"}
            )
            for name, source in sources.items()
        ),
    ]


def _with(**replaced: object) -> Callable[[dict], dict]:
    return lambda book: {**book, **replaced}


def _each(change: Callable[[dict], dict]) -> Callable[[dict], dict]:
    return lambda book: {**book, "cells": [change(cell) for cell in book["cells"]]}


def _added(source: str) -> Callable[[dict], dict]:
    added = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return lambda book: {**book, "cells": [*book["cells"], added]}


def _raw(book: dict, value: bytes) -> bytes:
    """The notebook with this JSON, as it stands, in its metadata."""
    return json.dumps({**book, "metadata": {"raw": "HERE"}}).encode().replace(b'"HERE"', value)


def _of_format_3(book: dict) -> dict:
    cells = [
        {**cell, "input": cell["source"], "source": 1e999} if cell["cell_type"] == "code" else cell
        for cell in book["cells"]
    ]
    cells = [{k: v for k, v in cell.items() if not (k == "source" and "input" in cell)} for cell in cells]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}, {"cells": []}]}


def _zip(book: dict) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("../../../gradebook.db", "/etc/cron.d/planted", "vault.ipynb"):
            archive.writestr(name, json.dumps(book))
    return packed.getvalue()


def entangling() -> list[Attack]:
    """What makes it hard to clean up (line 21)."""
    here = 'import os\nhere = os.getcwd()\nsockets = f"/slot/{os.path.basename(here)}"\n'
    calls = {
        "replaces its working folder by a link": "os.chdir('/'); os.rmdir(here); os.symlink('/slot', here)",
        "moves its working folder away": "os.rename(here, here + '-away')",
        "puts links among its sockets": "os.symlink('/etc/passwd', f'{sockets}/k-9')",
        "replaces a socket by a link": "os.unlink(f'{sockets}/k-4'); os.symlink('/work', f'{sockets}/k-4')",
        "puts a folder among its sockets": "os.mkdir(f'{sockets}/planted')",
        "puts a pipe among its sockets": "os.mkfifo(f'{sockets}/planted')",
        "replaces the folder of its sockets": "os.rename(sockets, sockets + '-away')",
        "makes a device": "os.mknod('memory', 0o020666, os.makedev(1, 1))",
        "makes a file immutable": """
            import fcntl
            with open("immutable", "w") as file:
                fcntl.ioctl(file, 0x40086602, (0x30).to_bytes(8, "little"))""",
        "makes a folder immutable": """
            import fcntl
            os.mkdir("immutable")
            fcntl.ioctl(os.open("immutable", os.O_RDONLY), 0x40086602, (0x30).to_bytes(8, "little"))""",
        "gives a file to somebody else": "open('given', 'w').close(); os.chown('given', 0, 0)",
    }
    cells = {
        "fills its folder with links to everything": """
            places = ("/", "/slot", "/work", "/proc", "/opt", "..", ".", "self", "/dev/shm", sockets)
            for number, place in enumerate(places):
                os.symlink(place, "self" if place == "self" else f"link-{number}")
            os.makedirs("deep/er")
            os.symlink("/work", "deep/er/link")""",
        "races the clean-up": """
            for _ in range(3):
                if os.fork() == 0:
                    os.setsid()
                    number = 0
                    while True:
                        number += 1
                        try:
                            os.makedirs(f"{os.getpid()}/{number}/a")
                            os.symlink("/work", f"{os.getpid()}/{number}/a/link")
                            os.rename(f"{os.getpid()}/{number}", f"moved-{os.getpid()}-{number}")
                            os.chmod(f"moved-{os.getpid()}-{number}", 0)
                        except OSError:
                            pass""",
        "holds files, maps and folders open": """
            import mmap, time
            os.mkdir("held")
            for _ in range(5):
                if os.fork() == 0:
                    os.setsid()
                    os.chdir("held")
                    file = open(f"{os.getpid()}", "w+b")
                    file.write(bytes(2**16))
                    file.flush()
                    held = mmap.mmap(file.fileno(), 2**16)
                    os.unlink(file.name)
                    time.sleep(1000)""",
        "unreadable folders in unreadable folders": """
            os.makedirs("a/b/c")
            open("a/b/c/file", "w").close()
            for name in ("a/b/c/file", "a/b/c", "a/b", "a"):
                os.chmod(name, 0)""",
        "closes its own folder to all": "os.chmod(here, 0)",
        "closes the folder of its sockets": "os.chmod(sockets, 0)",
        "folders five thousand deep": """
            for _ in range(5000):
                os.mkdir("d" * 200)
                os.chdir("d" * 200)
            open("file", "w").close()
            os.chdir(here)""",
        "names that nobody expects": """
            plain = ("new\\nline", "-rf", "n" * 255, " ", "\\\\", "'; rm -rf / #", "\\x1b[2J", "*", "\\r", "~")
            for name in (*plain, b"\\xff\\xfe"):
                open(name, "w").close()
            for name in ("f\\n", "f" * 255, b"\\xfd"):
                os.mkdir(name)
                os.symlink("/", os.path.join(name, b"\\xfc" if isinstance(name, bytes) else "\\n"))""",
        "pipes and sockets among its files": """
            import socket
            os.mkfifo("pipe")
            os.chmod("pipe", 0o6777)
            held = socket.socket(socket.AF_UNIX)
            held.bind("socket")""",
        "replaces its sockets by sockets of its own": """
            import socket
            held = []
            for number in range(1, 6):
                os.unlink(f"{sockets}/k-{number}")
                held.append(socket.socket(socket.AF_UNIX))
                held[-1].bind(f"{sockets}/k-{number}")
                held[-1].listen()""",
    }
    impostor = """
        import socket, threading
        def serve(listener):
            while True:
                client = listener.accept()[0]
                try:
                    client.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x01NULL" + bytes(48))
                    client.sendall(b"\\x04\\x19\\x05READY\\x0bSocket-Type\\0\\0\\0\\x03PUB")
                    while True:
                        client.sendall(frame(topic()) + frame(bytes(2**20)) * 4)
                except OSError:
                    pass
        os.unlink(f"{sockets}/k-2")
        fake = socket.socket(socket.AF_UNIX)
        fake.bind(f"{sockets}/k-2")
        fake.listen()
        os.chmod(f"{sockets}/k-2", 0o666)
        threading.Thread(target=serve, args=[fake], daemon=True).start()
        for each in [*wires(2)]:
            each.shutdown(socket.SHUT_RDWR)
        time.sleep(1000)"""
    return [
        *(
            Attack(21, name, spell=here + _function(body), says={"spell": r"`spell` raised (PermissionError|OSError)"})
            for name, body in calls.items()
        ),
        *(Attack(21, name, first=here + dedent(body)) for name, body in cells.items()),
        Attack(
            21,
            "hangs up, and answers the next call as an impostor",
            spell=WIRES + here + _function(impostor),
            says={"spell": "PermissionError"},  # its sockets' folder was closed when they were made
        ),
        Attack(
            21,
            "hangs up in a cell, and is an impostor from then on",
            spell=WIRES + here + dedent(impostor),
            says={"spell": "PermissionError|the cell was not done"},  # it goes on behind what is refused
        ),
    ]


def killing() -> list[Attack]:
    """Attacks on other processes, and on what ends its own (line 22)."""
    here = (
        "import ctypes, fcntl, os, resource, signal, socket, struct, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    )
    others = "others = [pid for pid in range(1, 64) if pid != os.getpid()]\n"
    reached = """
        def attempt(misuse, *arguments):
            try:
                return misuse(*arguments) in (None, 0)
            except (OSError, ValueError):
                return False
    """
    attempts = {
        "kills the zygote": "os.kill(os.getppid(), signal.SIGKILL)",
        "stops the zygote": "os.kill(os.getppid(), signal.SIGSTOP)",
        "interrupts the zygote": "os.kill(os.getppid(), signal.SIGINT)",
        "tells the zygote that children ended": "os.kill(os.getppid(), signal.SIGCHLD)",
        "kills the zygote by a descriptor": "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)",
        "kills process 1": "os.kill(1, signal.SIGKILL)",
        "lowers the priority of the zygote": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "raises its own priority": "os.nice(-10)",
        "asks to be scheduled in real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))",
        "takes the processors from the zygote": "os.sched_setaffinity(os.getppid(), [0])",
        "limits the zygote": "resource.prlimit(os.getppid(), resource.RLIMIT_NPROC, (0, 0))",
        "raises its own limits": "resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))",
        "is spared when memory runs out": 'open("/proc/self/oom_score_adj", "w").write("-1000")',
        "has the zygote killed when memory runs out": 'open(f"/proc/{os.getppid()}/oom_score_adj", "w").write("1000")',
        "writes into the zygote's memory": 'open(f"/proc/{os.getppid()}/mem", "r+b")',
    }
    counted = {
        "signals every process by its number": "attempt(os.kill, pid, each) for pid in others for each in (0, 9, 19)",
        "signals every process group": "attempt(os.killpg, pid, signal.SIGKILL) for pid in others[1:]",
        "traces every process": "libc.ptrace(request, pid, 0, 0) == 0 for pid in others for request in (16, 0x4206)",
        "reads the memory of every process": """
            libc.process_vm_readv(pid, (ctypes.c_void_p * 2)(), 1, (ctypes.c_void_p * 2)(), 1, 0) >= 0 for pid in others
        """,
    }
    cells = {
        "signals all that it can": """
            for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
                try:
                    os.kill(-1, number)
                except OSError:
                    pass
        """,
        "has a descriptor send signals": """
            for pid in (os.getppid(), 1):
                one, other = socket.socketpair()
                try:
                    fcntl.fcntl(one, 10, signal.SIGKILL)
                    fcntl.fcntl(one, fcntl.F_SETOWN, pid)
                    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
                    other.send(b"now")
                except OSError:
                    pass
        """,
        "leaves daemons that nobody waits for": """
            for number in range(5):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        libc.prctl(1, 0)
                        libc.prctl(15, b"[kworker/0:1]")
                        for each in range(1, 65):
                            try:
                                signal.signal(each, signal.SIG_IGN)
                            except (OSError, ValueError):
                                pass
                        os.chdir("/")
                        os.closerange(0, 512)
                        time.sleep(1000)
                    os._exit(0)
        """,
        "adopts its own daemons, stopped ones": """
            libc.prctl(36, 1)
            libc.prctl(1, 0)
            for number in range(5):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        os.kill(os.getpid(), signal.SIGSTOP)
                    os._exit(0)
        """,
        "a crowd of the dead": """
            for number in range(20):
                if os.fork() == 0:
                    os._exit(0)
        """,
        "daemons that are born faster than they die": """
            if os.fork() == 0:
                os.setsid()
                while True:
                    try:
                        if os.fork():
                            os._exit(0)
                    except OSError:
                        pass
        """,
        "makes itself readable and looks at itself": """
            libc.prctl(4, 1)
            for name in ("environ", "maps", "cmdline", "mem", "status", "mountinfo"):
                for pid in ("self", os.getppid(), 1):
                    try:
                        print(open(f"/proc/{pid}/{name}", "rb").read(10**4))
                    except OSError:
                        pass
        """,
        "runs slower than all others": "os.nice(19)\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
    }
    says = {"spell": r"`spell` raised (PermissionError|ProcessLookupError|OSError|ValueError)"}
    return [
        *(Attack(22, name, spell=here + _function(body), says=says) for name, body in attempts.items()),
        *(
            Attack(
                22,
                name,
                spell=here
                + others
                + dedent(reached)
                + f"def spell(n):\n    return str(n) if any([{body.strip()}]) else 0",
                says={"spell": r"should be a string, found a number"},
            )
            for name, body in counted.items()
        ),
        *(Attack(22, name, first=here + dedent(body)) for name, body in cells.items()),
        *(
            Attack(22, f"{name} in a call", spell=here + _function(body), says={"spell": told})
            for name, body, told in (
                ("stops itself", "os.kill(os.getpid(), signal.SIGSTOP)", SLOW_CALL),
                ("kills itself", "os.kill(os.getpid(), signal.SIGKILL)", r"`spell` ended the kernel \(signal 9\)"),
                ("kills its group", "os.killpg(0, signal.SIGKILL)", r"`spell` ended the kernel \(signal 9\)"),
                ("aborts", "os.abort()", r"`spell` ended the kernel \(signal 6\)"),
                ("closes all its descriptors", "os.closerange(0, 512)", rf"{SLOW_CALL}|`spell` ended the kernel"),
            )
        ),
        *(
            Attack(22, f"{name} in a cell", spell=here + body, says={"spell": told})
            for name, body, told in (
                ("stops itself", "os.kill(os.getpid(), signal.SIGSTOP)", SLOW_CELL),
                ("stops its group", "os.killpg(0, signal.SIGSTOP)", SLOW_CELL),
                ("kills itself", "os.kill(os.getpid(), signal.SIGKILL)", r"the cell ended the kernel \(signal 9\)"),
            )
        ),
    ]


ATTACKS = [*starving(), *endless(), *noisy(), *unreadable(), *entangling(), *killing()]
