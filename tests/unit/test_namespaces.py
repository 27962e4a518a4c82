"""Why a machine refuses namespaces: each known reason comes with what helps against it, and with nothing else."""

import errno
import os

import pytest

from autograder.sandbox import namespaces
from autograder.sandbox.namespaces import refused_namespaces, refused_user_namespaces

NO_ROOT_MOUNT = "45 27 0:40 / /proc rw,relatime - proc proc rw\n"
ROOT_MOUNT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n" + NO_ROOT_MOUNT
APPARMOR = {"kernel__apparmor_restrict_unprivileged_userns": 1}
ALL_CAPABILITIES, DOCKERS_CAPABILITIES = "000001ffffffffff", "00000000a80425fb"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(errors=(user, others), ...)`: a machine on which unshare(2) ends so, with these settings."""
    monkeypatch.setattr(namespaces, "PROC", tmp_path)
    monkeypatch.setattr(namespaces, "SYSTEM_BWRAP", tmp_path / "bwrap")
    monkeypatch.setattr(namespaces, "APPARMOR_PROFILE", tmp_path / "profile")

    def make(errors=(errno.EPERM, errno.EPERM), *, root=False, mounts=ROOT_MOUNT, seccomp=0, held=None, **settings):
        monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(namespaces, "_unshare", lambda *flags: list(errors)[-len(flags) :])
        own = tmp_path / "self"
        own.mkdir()
        (own / "mountinfo").write_text(mounts)
        held = held or (ALL_CAPABILITIES if root else "0")
        (own / "status").write_text(f"Name:\tx\nCapEff:\t{held}\nSeccomp:\t{seccomp}\nSeccomp_filters:\t1\n")
        for name, value in settings.items():
            path = tmp_path / "sys" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")
        return tmp_path

    return make


def test_where_they_are_allowed_nothing_is_told(machine):
    machine(errors=(0, 0), kernel__unprivileged_userns_clone=0)
    assert refused_user_namespaces() is None


@pytest.mark.parametrize(
    ("how", "reason", "advice"),
    [
        ({"kernel__unprivileged_userns_clone": 0}, "unprivileged_userns_clone is 0", "unprivileged_userns_clone=1"),
        ({"user__max_user_namespaces": 0, "errors": (errno.ENOSPC,) * 2}, "max_user_namespaces is 0", "=10000"),
        ({"user__max_user_namespaces": 9, "errors": (errno.ENOSPC,) * 2}, "too many", "raise user.max_user"),
        ({"errors": (0, errno.EPERM), **APPARMOR}, "apparmor", "userns=0"),
        ({"errors": (errno.EACCES,) * 2, **APPARMOR}, "apparmor", "userns=0"),
        ({"mounts": NO_ROOT_MOUNT}, "chroot", "outside the chroot"),
        ({"mounts": NO_ROOT_MOUNT, "seccomp": 2}, "chroot", "outside the chroot"),
        ({"seccomp": 2}, "system-call filter", "seccomp=unconfined"),
        (
            {"seccomp": 2, **APPARMOR},
            "system-call filter",
            "seccomp=unconfined",
        ),
        ({"errors": (errno.EINVAL,) * 2}, "no user namespaces", "CONFIG_USER_NS"),
        ({"kernel__unprivileged_userns_clone": 1, "user__max_user_namespaces": 9}, "not permitted", "administrator"),
    ],
)
def test_a_user_is_told_the_reason_and_what_helps(machine, how, reason, advice):
    machine(**how)
    found = refused_user_namespaces()
    assert reason in found.reason
    assert advice in found.advice
    assert refused_namespaces("bwrap: it failed") == found
    if "clone=1" not in advice:
        assert "unprivileged_userns_clone" not in str(found)
    assert "install" not in str(found)


def test_where_apparmor_allows_the_systems_bwrap_that_is_advised_unless_it_is_there(machine):
    folder = machine(errors=(0, errno.EPERM), **APPARMOR)
    (folder / "profile").touch()
    assert "apt-get install bubblewrap" in refused_user_namespaces().advice
    (folder / "bwrap").touch()
    assert "apt-get" not in refused_user_namespaces().advice


@pytest.mark.parametrize(
    ("how", "reason", "advice"),
    [
        ({"mounts": NO_ROOT_MOUNT}, "chroot", "outside the chroot"),
        ({"held": DOCKERS_CAPABILITIES, "seccomp": 2}, "CAP_SYS_ADMIN", "--privileged"),
        ({"seccomp": 2}, "system-call filter", "--privileged"),
        ({"kernel__unprivileged_userns_clone": 0}, "bwrap: it failed", ""),  # root needs no user namespace
    ],
)
def test_root_is_told_what_stops_root(machine, how, reason, advice):
    machine(root=True, **how)
    found = refused_namespaces("bwrap: it failed")
    assert reason in found.reason
    assert (advice in found.advice) if advice else (found.advice == "")


@pytest.mark.parametrize("root", [True, False])
def test_a_hidden_proc_is_told_where_namespaces_are_allowed(machine, root):
    machine(errors=(0, 0), root=root)
    found = refused_namespaces("bwrap: Can't mount proc on /newroot/proc: Operation not permitted")
    assert "systempaths=unconfined" in found.advice


def test_without_proc_nothing_is_guessed(tmp_path, monkeypatch):
    monkeypatch.setattr(namespaces, "PROC", tmp_path / "none")
    monkeypatch.setattr(namespaces, "_unshare", lambda *flags: [errno.EPERM] * len(flags))
    assert "chroot" not in str(refused_user_namespaces())


def test_the_probe_asks_this_kernel():
    allowed, wrong = namespaces._unshare(0, -1)
    assert (allowed, wrong) == (0, errno.EINVAL)
