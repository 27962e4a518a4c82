"""The kernel's output: nothing to send costs nothing, what was written is sent, every subscriber is welcomed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq
from ipykernel.iostream import IOPubThread
from jupyter_client.session import Session

from autograder.inside.kernel import Publisher, Stream


class Counting(IOPubThread):  # type: ignore[misc]  # its base is not typed
    """Counts what it is asked to do."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.asked = 0

    def schedule(self, f: Callable[[], Any]) -> None:
        self.asked += 1
        super().schedule(f)


def stop(thread: IOPubThread) -> None:
    """Stop a thread when its task has ended: ipykernel's own stop leaves it pending, and asyncio complains later."""
    ended = threading.Event()

    def end() -> None:
        task = thread._event_pipe_gc_task
        if task is None:  # the thread is still starting
            thread.io_loop.add_callback(end)
            return
        task.add_done_callback(lambda _: ended.set())
        task.cancel()

    thread.io_loop.add_callback(end)
    assert ended.wait(5), "the thread's task did not end"
    thread.stop()


@pytest.fixture
def channel() -> Iterator[tuple[Counting, zmq.Socket[bytes]]]:
    with zmq.Context() as context, context.socket(zmq.PUB) as out, context.socket(zmq.SUB) as back:
        out.bind("inproc://iopub")
        back.subscribe(b"")
        back.connect("inproc://iopub")
        thread = Counting(out, pipe=False, session=Session(key=b"k"))
        thread.start()
        yield thread, back
        stop(thread)


def test_flushing_nothing_does_not_wake_the_thread(channel: tuple[Counting, zmq.Socket[bytes]]) -> None:
    thread, _ = channel
    stream = Stream(thread.session, thread, "stdout", watchfd=False)
    stream.flush()
    assert thread.asked == 0


def test_each_write_is_sent_by_the_flush_after_it(channel: tuple[Counting, zmq.Socket[bytes]]) -> None:
    thread, back = channel
    stream = Stream(thread.session, thread, "stdout", watchfd=False)
    session = Session(key=b"k")
    for text in ("one", "two"):
        stream.write(text)
        stream.flush()
        asked = thread.asked
        stream.flush()
        assert thread.asked == asked, "there was nothing left to send"
        assert back.poll(5000), f"{text!r} was not sent"
        _, parts = session.feed_identities(back.recv_multipart())
        assert session.deserialize(parts)["content"]["text"] == text


def test_what_is_written_while_a_flush_runs_is_sent_by_the_next(
    channel: tuple[Counting, zmq.Socket[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, _ = channel
    stream = Stream(thread.session, thread, "stdout", watchfd=False)
    rotate = stream._rotate_buffers
    stream.write("early")

    def rotate_then_write() -> Any:
        found = rotate()
        monkeypatch.setattr(stream, "_rotate_buffers", rotate)
        stream.write("late")
        return found

    monkeypatch.setattr(stream, "_rotate_buffers", rotate_then_write)
    stream.flush()
    asked = thread.asked
    stream.flush()
    assert thread.asked > asked, "the late write was left to the timer"


def test_a_subscription_that_comes_during_a_send_is_welcomed() -> None:
    session = Session(key=b"k")
    with zmq.Context() as context, context.socket(zmq.XPUB) as out, context.socket(zmq.SUB) as back:
        out.bind("inproc://iopub")
        back.connect("inproc://iopub")
        thread = Publisher(out, pipe=False, session=session)
        thread.start()
        busy_now, subscribed = threading.Event(), threading.Event()

        def busy() -> None:
            busy_now.set()
            assert subscribed.wait(5)
            thread._really_send([b"a message"])

        thread.schedule(busy)
        assert busy_now.wait(5)
        back.subscribe(b"")
        subscribed.set()
        heard = []
        while back.poll(2000):
            heard.append(back.recv_multipart())
            if len(heard[-1]) > 1:
                break
        stop(thread)
    assert heard, "nothing came"
    _, parts = session.feed_identities(heard[-1])
    assert session.deserialize(parts)["msg_type"] == "iopub_welcome"
