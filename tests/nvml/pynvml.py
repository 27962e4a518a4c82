"""NVIDIA's management library on a machine that has none: GPUs as `$FAKE_GPUS` says, found before the real one.

`$FAKE_GPUS` is JSON: for each GPU its `uuid` and what is not as `DEFAULT` says; null is a machine without a driver.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

DEFAULT = {"name": "Fake", "total": 16 * 2**30, "used": 2**28, "minor": 0, "errors": 0, "lost": False, "slices": None}
NVML_DEVICE_MIG_ENABLE = 1
NVML_MEMORY_ERROR_TYPE_UNCORRECTED, NVML_VOLATILE_ECC = 1, 0


class NVMLError(Exception):
    """As in the library, whose errors have classes of their own by number."""


class NVMLError_LibraryNotFound(NVMLError): ...  # noqa: N801, N818 - the library's own name, as below


class NVMLError_DriverNotLoaded(NVMLError): ...  # noqa: N801, N818


class NVMLError_NotSupported(NVMLError): ...  # noqa: N801, N818


class NVMLError_NotFound(NVMLError): ...  # noqa: N801, N818


class NVMLError_GpuIsLost(NVMLError): ...  # noqa: N801, N818


def _gpus():
    return [{**DEFAULT, **gpu} for gpu in json.loads(os.environ.get("FAKE_GPUS", "null")) or []]


def _now(handle):
    gpu = next((each for each in _gpus() if each["uuid"] == handle), None)
    if gpu is None:
        return next(each for each in _gpus() if handle in (each["slices"] or ()))
    return gpu


def nvmlInit():
    if json.loads(os.environ.get("FAKE_GPUS", "null")) is None:
        raise NVMLError_LibraryNotFound("NVML Shared Library Not Found")


def nvmlDeviceGetCount():
    return len(_gpus())


def nvmlDeviceGetHandleByIndex(index):
    return _gpus()[index]["uuid"]


def nvmlDeviceGetHandleByUUID(uuid):
    return uuid


def nvmlDeviceGetUUID(handle):
    return handle


def nvmlDeviceGetName(handle):
    return _now(handle)["name"]


def nvmlDeviceGetMinorNumber(handle):
    return _now(handle)["minor"]


def nvmlDeviceGetMemoryInfo(handle):
    gpu = _now(handle)
    if gpu["lost"]:
        raise NVMLError_GpuIsLost("GPU is lost")
    return SimpleNamespace(total=gpu["total"], used=gpu["used"], free=gpu["total"] - gpu["used"])


def nvmlDeviceGetTotalEccErrors(handle, _kind, _counter):
    if _now(handle)["errors"] is None:
        raise NVMLError_NotSupported("Not Supported")
    return _now(handle)["errors"]


def nvmlDeviceGetMigMode(handle):
    if _now(handle)["slices"] is None:
        raise NVMLError_NotSupported("Not Supported")
    return [NVML_DEVICE_MIG_ENABLE, NVML_DEVICE_MIG_ENABLE]


def nvmlDeviceGetMaxMigDeviceCount(handle):
    return 7


def nvmlDeviceGetMigDeviceHandleByIndex(handle, index):
    slices = _now(handle)["slices"]
    if index >= len(slices):
        raise NVMLError_NotFound("Not Found")
    return slices[index]
