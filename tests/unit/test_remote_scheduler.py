"""A scheduler of another machine is reached over TLS, or not at all."""

import dask
import pytest

from autograder.errors import UsageError
from autograder.jobs import remote

ELSEWHERE = [
    "tcp://grader.example.org:8786", "grader.example.org:8786", "10.0.0.7:8786", "tcp://[2001:db8::1]:8786", "TCP://host:1",
    "tcp://127.0.0.1.example.org:8786", "tcp://localhost.example.org:8786", "ucx://host:8786", "ws://host:8786", "host",
    "tcp://0.0.0.0:8786", "http://host:8786", "ws://127.0.0.1:8786", "",
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_what_is_elsewhere_and_without_tls_is_refused_with_advice(address):
    with pytest.raises(UsageError, match=r"--insecure-scheduler") as caught:
        remote.expect_secure(address, insecure=False)
    assert "docs/cluster.md" in str(caught.value)
    remote.expect_secure(address, insecure=True)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:8786", "127.0.0.5:1"])
def test_this_machine_without_tls_is_warned_of(address):
    with pytest.warns(RuntimeWarning, match="every user of this machine"):
        remote.expect_secure(address, insecure=False)


@pytest.mark.parametrize("address", ["tls://grader.example.org:8786", "TLS://10.0.0.7:8786", "wss://host:8786"])
def test_tls_is_allowed_anywhere(address):
    remote.expect_secure(address, insecure=False)


def test_tls_without_certificates_names_what_dasks_configuration_lacks():
    lacking = r"distributed\.comm\.tls\.ca-file, distributed\.comm\.tls\.client\.cert"
    with pytest.raises(UsageError, match=lacking), remote.connected("tls://127.0.0.1:9", insecure=False):
        pass


def test_a_certificate_that_is_not_there_is_told(tmp_path):
    with (
        dask.config.set({name: str(tmp_path / "none.pem") for name in remote.FILES}),
        pytest.raises(UsageError, match="No such file"),
        remote.connected("tls://127.0.0.1:9", insecure=False),
    ):
        pass
