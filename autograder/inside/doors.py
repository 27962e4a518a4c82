"""Which names compute the same as a forbidden one: forbidding it forbids them too."""

from __future__ import annotations

from collections.abc import Iterable

SIZES = ("1d", "2d", "3d")
NUMPY_CORRELATION = ("numpy.convolve", "numpy.correlate")
NUMPY_CORRELATION_INSIDE = ("numpy._core.multiarray.correlate", "numpy._core.multiarray.correlate2")
NUMPY_CORRELATION_DOORS = (
    "numpy.ma.convolve", "numpy.ma.correlate", "numpy.polymul", "numpy.poly", "numpy.poly1d.__mul__",
    "numpy.poly1d.__rmul__", "numpy.poly1d.__pow__",
    *(f"numpy.polynomial.polynomial.{name}" for name in ("polymul", "polypow", "polyfromroots")),
    *(f"numpy.polynomial.chebyshev.{name}" for name in (
        "chebmul", "chebpow", "chebfromroots", "_zseries_mul", "_zseries_div")),
    "matplotlib.axes.Axes.xcorr", "matplotlib.axes.Axes.acorr", "matplotlib.pyplot.xcorr", "matplotlib.pyplot.acorr",
)  # fmt: skip
"""Library functions that return what the forbidden function returns, or nearly."""
WINDOWS = ("numpy.lib.stride_tricks.sliding_window_view",)
WINDOWS_BY_HAND = ("numpy.lib.stride_tricks.as_strided",)
FOURIER = tuple(
    f"numpy.fft.{name}{size}"
    for name, sizes in (
        *((kind, ("", "2", "n")) for kind in ("fft", "ifft", "rfft", "irfft")),
        *((kind, ("",)) for kind in ("hfft", "ihfft")),
    )
    for size in sizes
)
FOURIER_INSIDE = ("numpy.fft._pocketfft", "numpy.fft._pocketfft_umath")
FOURIER_DOORS = tuple(
    f"matplotlib.mlab.{name}"
    for name in (
        "_spectral_helper", "_single_spectrum_helper", "complex_spectrum", "magnitude_spectrum", "angle_spectrum",
        "phase_spectrum", "psd", "csd", "specgram",
    )
)  # fmt: skip
SCIPY_CONVOLUTION = (
    *(f"scipy.signal.{name}" for name in (
        "convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve", "lfilter", "sosfilt",
        "sepfir2d", "upfirdn")),
    *(f"scipy.ndimage.{name}{size}" for name in ("convolve", "correlate") for size in ("", "1d")),
    "scipy.ndimage.generic_filter", "scipy.ndimage.generic_filter1d", "scipy.ndimage.fourier_gaussian",
    "scipy.ndimage.fourier_uniform",
)  # fmt: skip
TORCH_CONVOLUTION = (
    *(f"{module}.{kind}{size}" for module in ("torch.nn.functional", "torch") for kind in ("conv", "conv_transpose")
      for size in SIZES),
    "torch.convolution", "torch._convolution", "torch.conv_tbc", "torch.nn.functional.conv_tbc",
)  # fmt: skip
TORCH_CONVOLUTION_DOORS = (
    *(f"torch.nn.{lazy}Conv{kind}{size}" for lazy in ("", "Lazy") for kind in ("", "Transpose") for size in SIZES),
    *(f"torch.nn.grad.conv{size}_{what}" for size in SIZES for what in ("input", "weight")),
    "torch.mkldnn_convolution", "torch.cudnn_convolution", "torch._nnpack_spatial_convolution",
    "torch._convolution_mode",
)  # fmt: skip
TORCH_COMPILERS = (
    "torch.jit.CompilationUnit", "torch.jit.script", "torch.jit.trace", "torch.jit.trace_module", "torch.jit.load",
    "torch.compile", "torch.export.export", "torch.export.load", "torch._C.CompilationUnit",
    "torch._C._jit_script_compile", "torch._C._create_function_from_graph", "torch._C._create_function_from_trace",
    "torch._C.import_ir_module", "torch._C.import_ir_module_from_buffer", "torch._C._jit_get_operation",
    "torch._C._get_operation_overload",
)  # fmt: skip
"""Make functions that call a convolution where no name of it is looked up."""
CONVOLUTION = r"(?:^|_)conv(?!ert)"
"""What the names of torch's convolutions match, but for `convert`."""

ALIASES = (
    (NUMPY_CORRELATION, (*NUMPY_CORRELATION, *NUMPY_CORRELATION_INSIDE)),
    (FOURIER, (*FOURIER, *FOURIER_INSIDE)),
    (WINDOWS, (*WINDOWS, *WINDOWS_BY_HAND)),
    (SCIPY_CONVOLUTION, SCIPY_CONVOLUTION),
    (TORCH_CONVOLUTION, (*TORCH_CONVOLUTION, *TORCH_CONVOLUTION_DOORS, *TORCH_COMPILERS)),
)
"""Forbidding one of the first forbids each of the second, which is replaced itself."""
DOORS = (
    (NUMPY_CORRELATION, NUMPY_CORRELATION_DOORS),
    (FOURIER, FOURIER_DOORS),
)
"""Forbidding one of the first forbids what it computes for a caller of one of the second."""


def aliases(names: Iterable[str]) -> tuple[str, ...]:
    """Return the forbidden `names` and those of other ways to the same function, in a fixed order."""
    return _with(tuple(names), ALIASES)


def doors(names: Iterable[str]) -> tuple[str, ...]:
    """Return the library functions through which the forbidden `names` may not be called either."""
    names = tuple(names)
    return tuple(name for name in _with(names, DOORS) if name not in names)


def family(names: Iterable[str]) -> tuple[str, ...]:
    """Return all that `names` forbids, for a search in a source."""
    names = tuple(names)
    return tuple(dict.fromkeys((*aliases(names), *doors(names))))


def forbids_torch_convolution(names: Iterable[str]) -> bool:
    """Whether torch's convolutions are among the forbidden `names`."""
    return any(_covers(name, each) for name in names for each in TORCH_CONVOLUTION)


def _with(names: tuple[str, ...], groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> tuple[str, ...]:
    found = list(names)
    for members, more in groups:
        if any(_covers(name, member) for name in names for member in members):
            found += more
    return tuple(dict.fromkeys(found))


def _covers(name: str, member: str) -> bool:
    """Whether forbidding `name` forbids `member`: it is the same, or the module that holds it."""
    return member == name or member.startswith(f"{name}.")
