"""The Dask cluster of this machine: nobody else reaches it, and nobody's port is in its way."""

import sys
from contextlib import closing
from http.client import HTTPConnection

import psutil

from autograder.jobs.cluster import client

DASHBOARD = 8787
PAGES = ("/", "/health", "/status", "/metrics", "/info/main/workers.html", "/json/identity.json")


def listening():
    """The TCP addresses at which this process and its children wait for connections."""
    here = psutil.Process()
    return {
        (socket.laddr.ip, socket.laddr.port)
        for process in (here, *here.children(recursive=True))
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    }


def status(port, path):
    """The HTTP status of a page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    with closing(connection):
        return connection.getresponse().status


def test_a_local_cluster_listens_to_this_machine_alone_and_shows_no_pages(recwarn):
    before = listening()
    with client(None, 1) as found:
        assert found.submit(sum, [1, 2]).result() == 3
        opened = listening() - before
        told = found.scheduler_info()
        servers = [told["services"]["dashboard"], *(one["services"]["dashboard"] for one in told["workers"].values())]
        answers = {status(port, path) for port in servers for path in PAGES}
    assert {ip for ip, _ in opened} == {"127.0.0.1"}
    assert {*servers} < {port for _, port in opened}  # Dask has HTTP servers whatever one asks for
    assert answers == {404}
    assert DASHBOARD not in servers
    assert not [warning for warning in recwarn if "already in use" in str(warning.message)]


def imported(names):
    return [name for name in names if name in sys.modules]


def test_the_workers_of_each_cluster_are_forks_of_what_it_preloads():
    """Several assignments in one command: those of one profile need not hold what another's need."""
    names = ["colorsys", "pyclbr", "tabnanny"]
    for wanted in (["colorsys"], ["pyclbr", "colorsys"], ["pyclbr"]):
        with client(None, 1, [*wanted, __name__]) as found:
            assert found.submit(imported, names, pure=False).result() == sorted(wanted)
