"""Tricks that reach a forbidden function where a search in the source does not see it, and honest uses of it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

LINE = 29


@dataclass(frozen=True)
class Trick:
    """A submission of `sliding` whose answer to `slide` is `answer`.

    Attributes:
        first: source text of a cell that is added before the exercises.
        as_it_is: the answer keeps its indentation.
        line: of the list in docs/security.md.
    """

    name: str
    answer: str
    first: str = ""
    as_it_is: bool = False
    line: int = LINE

    @property
    def cells(self) -> tuple[str, str]:
        """The added cell and the answer."""
        return dedent(self.first), self.answer if self.as_it_is else dedent(self.answer).strip("\n")


def calling(name: str, function: str, first: str = "") -> Trick:
    """A trick whose answer calls what an expression stands for: as `convolve(x, w, mode)`."""
    return Trick(name, f"def slide(x, w):\n    return ({function})(x, w[::-1], 'valid')", first)


def full(name: str, product: str, first: str = "") -> Trick:
    """A trick that cuts the valid part out of the whole convolution `product` of `x` and `v`, the turned kernel."""
    return Trick(name, f"def slide(x, w):\n    v = w[::-1]\n    return ({product})[len(w) - 1 : len(x)]", first)


FRESH = """
import sys
for name in [name for name in sys.modules if name.startswith("numpy.fft") or name == "numpy._core.numeric"]:
    del sys.modules[name]
"""
TRICKS = [
    Trick("an indented cell", "    def slide(x, w):\n        return np.convolve(x, w[::-1], 'valid')", as_it_is=True),
    Trick("prompts before the lines", ">>> def slide(x, w):\n...     return np.convolve(x, w[::-1], 'valid')"),
    Trick("numbered prompts", "In [1]: def slide(x, w):\n   ...:     return np.convolve(x, w[::-1], 'valid')"),
    Trick("%time", "%time f = np.convolve\ndef slide(x, w):\n    return f(x, w[::-1], 'valid')"),
    Trick("%%time", "%%time\ndef slide(x, w):\n    return np.convolve(x, w[::-1], 'valid')"),
    Trick("%%capture", "%%capture told\ndef slide(x, w):\n    return np.convolve(x, w[::-1], 'valid')"),
    Trick("run_cell", "get_ipython().run_cell('def slide(x, w): return np.con' + 'volve(x, w[::-1], \"valid\")')"),
    calling("through another module", "plt.np.convolve"),
    calling("getattr with a name that is put together", "getattr(np, 'con' + 'volve')"),
    calling("the module's dictionary", "np.__dict__['con' + 'volve']"),
    calling("vars", "vars(np)['con' + 'volve']"),
    calling("attrgetter", "__import__('operator').attrgetter('con' + 'volve')(np)"),
    calling("importlib", "importlib.import_module('num' + 'py').convolve", "import importlib"),
    calling("__import__ from the builtins", "__builtins__.__import__('num' + 'py').convolve"),
    calling("sys.modules", "sys.modules['num' + 'py'].convolve", "import sys"),
    calling("a pickle", "pickle.loads(b'cnumpy\\nconvolve\\n.')", "import pickle"),
    calling("eval", "eval('np.con' + 'volve')"),
    calling("pkgutil", "pkgutil.resolve_name('numpy:con' + 'volve')", "import pkgutil"),
    calling("the table of functions that classes may override", """next(f for f in
        numpy.testing.overrides.get_overridable_numpy_array_functions() if f.__name__ == 'con' + 'volve')""",
        "import numpy.testing.overrides"),
    calling("a loop over what the module has", "[v for k, v in vars(np).items() if k[:5] == 'convo'][0]"),
    calling("a masked array's", "lambda *a: np.asarray(np.ma.convolve(*a))"),
    calling("a part of numpy that it lies in", "np._core.numeric.con" + "volve"),
    Trick("what it is made of", "def slide(x, w):\n    return np._core.multiarray.correlate(x, w, 0)"),
    Trick("what it is made of, where it is compiled", """
        def slide(x, w):
            return getattr(np._core._multiarray_umath, "correlate2")(x, w, 0)
        """),
    Trick("its sister", "def slide(x, w):\n    return getattr(np, 'corre' + 'late')(x, w, 'valid')"),
    full("a product of polynomials", "np.polymul(x, v)"),
    full("a product of polynomials as objects", "(np.poly1d(x) * np.poly1d(v)).coeffs"),
    full("a product in the new polynomials", "np.polynomial.polynomial.polymul(x, v)"),
    full("the new polynomials as objects", "(np.polynomial.Polynomial(x) * np.polynomial.Polynomial(v)).coef"),
    full("a helper of Chebyshev polynomials", "np.polynomial.chebyshev._zseries_mul(x, v)"),
    full("a polynomial from its roots", "x[0] * v[0] * np.poly(np.r_[np.roots(x), np.roots(v)])"),
    full("Fourier transforms", "np.fft.irfft(np.fft.rfft(x, 64) * np.fft.rfft(v, 64), 64)[: len(x) + len(w) - 1]"),
    full("what Fourier transforms are made of", """(lambda f, z, o: f.ifft(f.fft(np.r_[x, z][:64] + 0j, 1.0, out=o())
        * f.fft(np.r_[v, z][:64] + 0j, 1.0, out=o()), 1 / 64, out=o()).real)(
        np.fft._pocketfft_umath, np.zeros(64), lambda: np.empty(64, complex))"""),
    Trick("windows by hand", """
        def slide(x, w):
            f = getattr(np.lib.stride_tricks, "as_" + "strided")
            return f(x, (len(x) - len(w) + 1, len(w)), x.strides * 2) @ w
        """),
    Trick("cross-correlation in a plot", """
        def slide(x, w):
            y = plt.xcorr(x, np.r_[w, np.zeros(len(x) - len(w))], normed=False, maxlags=len(x) - 1)[1]
            return y[len(x) - 1 :][: len(x) - len(w) + 1]
        """),
    Trick("a default argument", "def slide(x, w, f=getattr(np, 'con' + 'volve')):\n    return f(x, w[::-1], 'valid')"),
    calling("bound in an earlier cell", "tool", "tool = getattr(np, 'con' + 'volve')"),
    Trick("the function itself, under another name", "slide = lambda x, w, f=getattr(np, 'corre' + 'late'): f(x, w)"),
    Trick("an alias, called by the checks", "slide = getattr(np, 'corre' + 'late')"),
    Trick("partial", """
        import functools
        f = functools.partial(getattr(np, "corre" + "late"), mode="valid")
        def slide(x, w):
            return f(x, w)
        """),
    Trick("partial, called by the checks", """
        import functools
        slide = functools.partial(getattr(np, "corre" + "late"), mode="valid")
        """),
    Trick("a class attribute", """
        class Tools:
            f = staticmethod(getattr(np, "con" + "volve"))
        def slide(x, w):
            return Tools.f(x, w[::-1], "valid")
        """),
    Trick("a method of an object that can be called", """
        class Slide:
            f = staticmethod(getattr(np, "con" + "volve"))
            def __call__(self, x, w):
                return self.f(x, w[::-1], "valid")
        slide = Slide()
        """),
    Trick("a closure", """
        def made(f):
            return lambda x, w: f(x, w[::-1], "valid")
        slide = made(getattr(np, "con" + "volve"))
        """),
    Trick("an import inside the function", """
        def slide(x, w):
            import numpy as anything
            return vars(anything)["con" + "volve"](x, w[::-1], "valid")
        """),
    Trick("a star import", """
        from numpy import *
        def slide(x, w):
            return globals()["con" + "volve"](x, w[::-1], "valid")
        """),
    Trick("exec in the call", """
        def slide(x, w):
            found = {}
            exec("r = np.con" + "volve(x, w[::-1], 'valid')", {"np": np, "x": x, "w": w}, found)
            return found["r"]
        """),
    Trick("exec under a library's file name", """
        def slide(x, w):
            found = {"np": np, "x": x, "w": w}
            exec(compile("r = np.con" + "volve(x, w[::-1], 'valid')", np.__file__, "exec"), found)
            return found["r"]
        """),
    Trick("exec among a library's names", """
        def slide(x, w):
            space = vars(np._core.numeric)
            space.update(x_=x, w_=w)
            exec("r_ = con" + "volve(x_, w_[::-1], 'valid')", space)
            return space["r_"]
        """),
    Trick("a function of a library's code in other names", """
        import types
        def slide(x, w):
            code = np.lib._polynomial_impl.polymul
            code = getattr(code, "_implementation", code).__code__
            f = types.FunctionType(code, dict(vars(np.lib._polynomial_impl)))
            return f(x, w[::-1])[len(w) - 1 : len(x)]
        """),
    Trick("its source, run again", """
        import types
        text = open(np._core.numeric.__file__).read()
        again = types.ModuleType("numpy._core.numeric")
        again.__dict__.update(vars(np._core.numeric))
        exec(compile(text, np._core.numeric.__file__, "exec"), again.__dict__)
        def slide(x, w):
            return again.convolve(x, w[::-1], "valid")
        """),
    Trick("its module, loaded again", """
        import importlib
        again = importlib.reload(np._core.numeric)
        def slide(x, w):
            return again.convolve(x, w[::-1], "valid")
        """),
    Trick("its module, imported again", f"{FRESH}import numpy._core.numeric as again\n"
        "def slide(x, w):\n    return again.convolve(x, w[::-1], 'valid')"),
    Trick("what is compiled, made again", """
        import importlib.util
        spec = np._core._multiarray_umath.__spec__
        again = importlib.util.module_from_spec(spec)
        def slide(x, w):
            return again.correlate(x, w, 0)
        """),
    Trick("without what watches imports", f"""
import sys
sys.meta_path[:] = [each for each in sys.meta_path if "inside" not in type(each).__module__]
{FRESH}
import numpy._core.numeric as again
def slide(x, w):
    return again.convolve(x, w[::-1], "valid")
"""),
    Trick("a module that is written first", """
        open("tools.py", "w").write("import numpy\\ndef f(*a):\\n    return numpy.convolve(*a)\\n")
        import tools
        def slide(x, w):
            return tools.f(x, w[::-1], "valid")
        """),
    Trick("a thread", """
        import threading
        def slide(x, w):
            found = []
            thread = threading.Thread(target=lambda: found.append(getattr(np, "con" + "volve")(x, w[::-1], "valid")))
            thread.start()
            thread.join()
            return found[0]
        """),
    Trick("a thread that has waited since a cell", """
        import queue, threading
        asked, told = queue.Queue(), queue.Queue()
        def serve():
            while True:
                told.put(getattr(np, "con" + "volve")(*asked.get()))
        threading.Thread(target=serve, daemon=True).start()
        def slide(x, w):
            asked.put((x, w[::-1], "valid"))
            return told.get(timeout=1)
        """),
    Trick("a pool of threads", """
        from concurrent.futures import ThreadPoolExecutor
        def slide(x, w):
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(getattr(np, "con" + "volve"), x, w[::-1], "valid").result()
        """),
    Trick("a process", """
        import multiprocessing
        def slide(x, w):
            with multiprocessing.get_context("fork").Pool(1) as pool:
                return pool.apply_async(getattr(np, "con" + "volve"), (x, w[::-1], "valid")).get(timeout=1)
        """),
    Trick("a generator", """
        def made():
            result = None
            while True:
                x, w = yield result
                result = getattr(np, "con" + "volve")(x, w[::-1], "valid")
        g = made()
        next(g)
        def slide(x, w):
            return g.send((x, w))
        """),
    Trick("a coroutine", """
        def slide(x, w):
            async def work():
                return getattr(np, "con" + "volve")(x, w[::-1], "valid")
            try:
                work().send(None)
            except StopIteration as end:
                return end.value
        """),
    Trick("a decorator", """
        def instead(_f):
            return lambda x, w: getattr(np, "con" + "volve")(x, w[::-1], "valid")
        @instead
        def slide(x, w):
            return None
        """),
    calling("map", "lambda *a: list(map(getattr(np, 'con' + 'volve'), [a[0]], [a[1]], ['valid']))[0]"),
    calling("apply_along_axis", "lambda x, v, m: np.apply_along_axis(getattr(np, 'con' + 'volve'), 0, x, v, m)"),
    calling("vectorize", """lambda *a: np.vectorize(getattr(np, 'con' + 'volve'),
        signature='(n),(k),()->(m)')(*a)"""),
    calling("frompyfunc", """lambda x, v, m: np.frompyfunc(lambda i: getattr(np, 'con' + 'volve')(x, v, m), 1, 1)(
        np.array(0, object)).astype(float)"""),
    calling("an exit stack", """lambda *a: [k := [], s := contextlib.ExitStack(), s.callback(
        lambda: k.append(getattr(np, 'con' + 'volve')(*a))), s.close()] and k[0]""", "import contextlib"),
    calling("timeit", """lambda *a: [k := [], timeit.timeit(lambda: k.append(getattr(np, 'con' + 'volve')(*a)),
        number=1)] and k[0]""", "import timeit"),
    Trick("the error is caught, and again", """
        def slide(x, w):
            for _ in range(3):
                try:
                    return getattr(np, "con" + "volve")(x, w[::-1], "valid")
                except Exception:
                    pass
        """),
    Trick("what wraps it", """
        import gc
        f = getattr(np, "con" + "volve")
        for name in ("__wrapped__", "_implementation", "func", "__func__", "__self__"):
            f = getattr(f, name, f)
        def slide(x, w):
            return f(x, w[::-1], "valid")
        """),
    Trick("the objects of the garbage collector", """
        import gc
        gc.unfreeze()
        kind = type(len)
        found = [o for o in gc.get_objects() if type(o) is kind and o.__name__ == "correlate"]
        f = found[0] if found else np._core.multiarray.correlate
        def slide(x, w):
            return f(x, w, 0)
        """),
    Trick("the frames of an error", """
        import sys
        f, seen = getattr(np, "con" + "volve"), []
        try:
            f("a", 1)
        except Exception as error:
            trace = error.__traceback__
            while trace:
                frame = trace.tb_frame
                while frame:
                    for value in list(frame.f_locals.values()):
                        target = getattr(value, "function", None)
                        if getattr(target, "__name__", "") == "convolve":
                            seen.append(target)
                    frame = frame.f_back
                trace = trace.tb_next
        f = seen[0] if seen else f
        def slide(x, w):
            return f(x, w[::-1], "valid")
        """),
    Trick("the frames of a call back", """
        import sys
        f, seen = getattr(np, "con" + "volve"), []
        class Array:
            def __array__(self, *a, **k):
                frame = sys._getframe()
                while frame:
                    for value in list(frame.f_locals.values()):
                        target = getattr(value, "function", None)
                        if getattr(target, "__name__", "") == "convolve":
                            seen.append(target)
                    frame = frame.f_back
                return np.ones(3)
        try:
            f(Array(), [1.0])
        except Exception:
            pass
        f = seen[0] if seen else f
        def slide(x, w):
            return f(x, w[::-1], "valid")
        """),
    Trick("what an array class is told", """
        seen = []
        class Array:
            def __array_function__(self, func, types, args, kwargs):
                seen.append(func)
        f = getattr(np, "con" + "volve")
        f(Array(), [1.0])
        f = seen[0] if seen else f
        def slide(x, w):
            return f(x, w[::-1], "valid")
        """),
    Trick("a profiler", """
        import sys
        f, seen = getattr(np, "con" + "volve"), []
        def profile(frame, event, argument):
            if event == "c_call" and getattr(argument, "__name__", "") == "correlate":
                seen.append(argument)
        sys.setprofile(profile)
        f([1.0, 2.0], [1.0])
        sys.setprofile(None)
        g = seen[0] if seen else np._core.multiarray.correlate
        def slide(x, w):
            return g(x, w, 0)
        """),
    Trick("patches what judges calls", """
        import sys
        for name in ("inside.gate", "inside.shortcuts", "inside.probe"):
            module = sys.modules[name]
            for each in ("begin", "refused", "concerns", "targets"):
                if hasattr(module, each):
                    setattr(module, each, lambda *a, **k: "")
        import builtins
        def slide(x, w):
            return getattr(np, "con" + "volve")(x, w[::-1], "valid")
        """),
    Trick("answers the checks itself", """
        import sys
        probe = sys.modules["inside.probe"]
        def answer(self, request, buffers):
            return self._answer(request, buffers)
        probe.Probe.answer = answer
        def slide(x, w):
            return getattr(np, "con" + "volve")(x, w[::-1], "valid")
        """),
    Trick("takes the checks' place", """
        import sys
        probe = sys.modules["inside.probe"]
        manager = get_ipython().kernel.comm_manager
        mine = probe.Probe(globals())
        def opened(comm, message):
            def heard(message):
                data = message["content"]["data"]
                reply, buffers = mine._answer(data, message["buffers"])
                comm.send(data={**reply, "id": data.get("id")}, buffers=buffers)
            comm.on_msg(heard)
        manager.register_target(probe.COMM_TARGET, opened)
        def slide(x, w):
            return getattr(np, "con" + "volve")(x, w[::-1], "valid")
        """),
    Trick("runs it as a cell", """
        def slide(x, w):
            globals().update(x_=x, w_=w)
            get_ipython().run_cell("r_ = getattr(np, 'con' + 'volve')(x_, w_[::-1], 'valid')", silent=True)
            return r_
        """),
]  # fmt: skip


HONEST = [
    Trick("a test of the answer in its own cell", """
        def slide(x, w):
            return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])
        a, b = np.arange(5.0), np.array([1.0, 2.0])
        assert np.allclose(slide(a, b), np.convolve(a, b[::-1], "valid"))
        assert np.allclose(slide(a, b), np.fft.ifft(np.fft.fft(a, 8) * np.fft.fft(b[::-1], 8)).real[1:5])
        """),
    Trick("a test in a cell of its own", """
        def slide(x, w):
            return np.array([np.dot(x[i : i + len(w)], w) for i in range(len(x) - len(w) + 1)])
        """, "assert np.allclose(np.correlate([1.0, 2.0], [1.0]), [1, 2])\nexpected = np.polymul([1, 2], [1, 1])"),
    Trick("windows of a view", "def slide(x, w):\n    return np.lib.stride_tricks.sliding_window_view(x, len(w)) @ w"),
    Trick("einsum", """
        def slide(x, w):
            windows = np.lib.stride_tricks.sliding_window_view(x, len(w))
            return np.einsum("ij,j->i", windows, w)
        """),
    Trick("broadcasting and reductions", """
        def slide(x, w):
            places = np.arange(len(x) - len(w) + 1)[:, None] + np.arange(len(w))
            return np.sum(x[places] * w, axis=1)
        """),
    Trick("other functions of numpy on the way", """
        def slide(x, w):
            np.polyfit(x, x**2, 2), np.roots(x), np.polyval(w, x), np.pad(x, 2), np.histogram(x), np.gradient(x)
            np.median(x), np.cov(x), np.linalg.svd(np.outer(x, w)), np.interp(x, x, x), np.unique(x), np.kron(x, w)
            np.vectorize(lambda a: a + 1)(x), np.apply_along_axis(np.sum, 0, x), np.polynomial.Polynomial.fit(x, x, 1)
            np.random.default_rng(0).normal(size=3), np.broadcast_to(x, (2, len(x))), np.broadcast_arrays(x, 1.0)
            np.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")(x, x), np.hanning(5), np.ma.masked_less(x, 0)
            return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])
        """),
    Trick("a plot in the answer's cell and in a call", """
        def slide(x, w):
            figure, axes = plt.subplots()
            axes.plot(x)
            axes.hist(x)
            axes.imshow(np.outer(x, w))
            plt.close(figure)
            return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])
        plt.plot(slide(np.ones(5), np.ones(2)))
        plt.psd(np.ones(300))
        plt.show()
        """),
    Trick("a function of one's own by the same name", """
        def convolve(x, v):
            return np.array([sum(x[i + j] * v[-1 - j] for j in range(len(v))) for i in range(len(x) - len(v) + 1)])
        def slide(x, w):
            return convolve(x, w[::-1])
        """),
    Trick("an object with a method by the same name", """
        class Signal:
            def __init__(self, x):
                self.x = x
            def correlate(self, w):
                return np.array([self.x[i : i + len(w)] @ w for i in range(len(self.x) - len(w) + 1)])
        def slide(x, w):
            return Signal(x).correlate(w)
        """),
    Trick("the function is asked about, and not called", """
        import inspect, pickle
        assert "convol" in np.convolve.__doc__ and np.convolve.__name__ == "convolve"
        assert pickle.loads(pickle.dumps(np.convolve)) is np.convolve
        assert "mode" in str(inspect.signature(np.convolve))
        def slide(x, w):
            return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])
        """),
    Trick("logging, warnings and data classes in a call", """
        import collections, dataclasses, logging, warnings
        def slide(x, w):
            warnings.warn("slow", stacklevel=1)
            logging.getLogger("slide").warning("slow")
            Pair = collections.namedtuple("Pair", "x w")
            pair = Pair(x, w)
            return np.array([pair.x[i : i + len(w)] @ pair.w for i in range(len(x) - len(w) + 1)])
        """),
    Trick("threads that do the work", """
        from concurrent.futures import ThreadPoolExecutor
        def slide(x, w):
            with ThreadPoolExecutor(2) as pool:
                return np.array(list(pool.map(lambda i: x[i : i + len(w)] @ w, range(len(x) - len(w) + 1))))
        """),
]  # fmt: skip
"""Right answers, which nothing may accuse."""
