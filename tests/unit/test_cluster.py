"""The Dask cluster of this machine: only who holds its certificate reaches it, and nobody's port is in its way."""

import os
import socket
import ssl
import sys
import tempfile
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client
from distributed.security import Security

from autograder.jobs.cluster import client
from autograder.sandbox.run_folder import own_folder, run_folder


def test_what_was_set_before_is_set_again():
    before = {name: os.environ.get(name) for name in ("TMPDIR", "AUTOGRADER_RUN")}, tempfile.tempdir
    with client(None, 1):
        assert os.environ["TMPDIR"] == str(own_folder())
    assert ({name: os.environ.get(name) for name in ("TMPDIR", "AUTOGRADER_RUN")}, tempfile.tempdir) == before


def imported(names):
    return [name for name in names if name in sys.modules]


def test_the_workers_of_each_cluster_are_forks_of_what_it_preloads():
    """Several assignments in one command: those of one profile need not hold what another's need."""
    names = ["colorsys", "pyclbr", "tabnanny"]
    for wanted in (["colorsys"], ["pyclbr", "colorsys"], ["pyclbr"]):
        with client(None, 1, [*wanted, __name__]) as found:
            assert found.submit(imported, names, pure=False).result() == sorted(wanted)


@pytest.fixture(scope="module")
def cluster():
    """A client of a cluster with one worker, and the addresses at which something listens since then."""
    before = listening()
    with client(None, 1) as found:
        yield found, listening() - before


def listening():
    """The TCP addresses at which this process and its children wait for connections."""
    here = psutil.Process()
    return {
        (each.laddr.ip, each.laddr.port)
        for process in (here, *here.children(recursive=True))
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }


def test_scheduler_nanny_and_worker_listen_to_this_machine_alone_and_nothing_else_does(cluster):
    found, opened = cluster
    assert found.submit(sum, [1, 2]).result() == 3
    assert {ip for ip, _ in opened} == {"127.0.0.1"}
    assert len(opened) == 3


def test_every_port_wants_the_clusters_own_certificate(cluster):
    _, opened = cluster
    for address in opened:
        with pytest.raises((OSError, TimeoutError)):
            Client(f"tcp://{address[0]}:{address[1]}", timeout=2)
        strange = Security.temporary()
        with pytest.raises((OSError, TimeoutError)):
            Client(f"tls://{address[0]}:{address[1]}", security=strange, timeout=2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(address, timeout=10) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
            context.wrap_socket(plain) as talking,
        ):
            talking.recv(1)  # TLS 1.3 tells of a missing certificate with the first answer


def temporary():
    return tempfile.gettempdir(), str(run_folder()), dask.config.get("temporary-directory")


def test_all_temporary_files_are_in_the_private_folder(cluster):
    found, _ = cluster
    for folder in (*temporary(), *found.submit(temporary, pure=False).result()):
        assert run_folder() in (Path(folder), *Path(folder).parents)
    workers = found.run(lambda dask_worker: dask_worker.local_directory)
    assert all(own_folder() in Path(folder).parents for folder in workers.values())


def test_the_key_is_in_no_argument_variable_or_file(cluster):
    found, _ = cluster
    key = found.security.tls_client_key.encode()
    core = key.splitlines()[1]
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        for name in ("cmdline", "environ"):
            assert core not in Path(f"/proc/{process.pid}/{name}").read_bytes()
    files = [path for path in run_folder().rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if core in path.read_bytes()] == []
