"""What a cell says while it runs: kept where it is an output, and then a notebook that can be written and read."""

from __future__ import annotations

import base64
import copy
import json
import struct
from types import SimpleNamespace
from typing import Any

import nbformat
from case import pack, unpack
from hypothesis import strategies as st
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from scripted import KEY
from strategies.messages import json_values

from autograder.gradebook.feedback import annotate
from autograder.gradebook.sanitise import LARGEST_IMAGE, LONGEST_TEXT
from autograder.kernel.cells import CellRunner, spoilt
from autograder.kernel.messages import WarySession
from autograder.model.assignment import Limits
from autograder.model.report import CheckResult, Provenance, Report

LIMITS = Limits(output_bytes=2**20)
REPORT = Report("ada", "a", "graded", (CheckResult("c", "graded", 1.0, "pass"),), Provenance("", "", "", "", ""))
FLAGS = NotebookNode(grade_id="graded", grade=True, solution=False, locked=True, points=1.0, schema_version=3)
WORDS = [
    *(f'"{kind}"'.encode() for kind in ("stream", "error", "display_data", "execute_result", "update_display_data")),
    *(
        b'"clear_output"',
        b'"execute_input"',
        b'"transient":{"display_id":"a"}',
        b'"data":{"text/plain":"x"}',
        b'"image/png":',
    ),
    *(
        b'"execution_count":',
        b'"metadata":',
        b'"name":"stdout"',
        b'"text":',
        b'"ename":"MemoryError"',
        b'"traceback":[',
    ),
    *(b'"wait":true', b'"evalue":', b"\0\0\0\2{}", b'"comm_open"', b'"status"', b'"execution_state":"idle"'),
]
HEADER = '{{"msg_id":"{0}","msg_type":{1},"version":"5.3"}}'


def check(data: bytes) -> bool:
    """The parts are in pairs: a message's type and content, both JSON."""
    cells = [nbformat.v4.new_code_cell("f()", id="plain"), nbformat.v4.new_code_cell("1", id="graded")]
    cells[1].metadata["nbgrader"] = FLAGS
    notebook = nbformat.v4.new_notebook(cells=cells)
    runner = _runner(notebook)
    parts = unpack(data)
    for number, (kind, content) in enumerate(zip(parts[::2], parts[1::2], strict=False)):
        header = HEADER.format(number, kind.decode("utf-8", "replace")).encode()
        session = WarySession(key=KEY)
        signed = [header, b"{}", b"{}", content]
        message = session.deserialize([session.sign(signed), *signed])
        index = number % 2
        try:
            runner.process_message(message, cells[index], index)
        except CellExecutionComplete:
            runner.reset_execution_trackers()
    sound = {"msg_type": "stream", "content": {"name": "stdout", "text": "the end"}, "parent_header": {}, "size": 1}
    runner.process_message({**sound, "header": {"msg_type": "stream"}}, cells[0], 0)
    assert cells[0].outputs[-1].text == "the end", "what is sound is not kept any more"
    for cell in cells:
        lost = spoilt(cell.outputs, LIMITS)
        assert lost is None or len(lost.message) < 500
        assert all(isinstance(output, dict) for output in cell.outputs)
    before = copy.copy(cells[0].outputs)
    page = annotate(notebook, REPORT)
    assert cells[0].outputs == before
    nbformat.validate(page)
    json.dumps(page, ensure_ascii=False, allow_nan=False).encode()
    assert page.cells[1].outputs[-1].data["text/plain"] == "1.0"
    for cell in page.cells:
        for output in cell.outputs:
            clean(output, ours=cell.id == "graded")
    return True


def clean(output: NotebookNode, *, ours: bool) -> None:
    if output.output_type in {"display_data", "execute_result"}:
        assert set(output.data) <= {"text/plain", "image/png", *(["text/html"] if ours else [])}
        if "image/png" in output.data:
            content = base64.b64decode(output.data["image/png"], validate=True)
            assert content.startswith(b"\x89PNG\r\n\x1a\n")
            assert len(content) <= LARGEST_IMAGE + 1000
            alt = output.metadata.get("image/png", {}).get("alt", "")
            assert not {"<", ">", '"', "'"} & set(alt)
        else:
            assert output.metadata == {}
    for text in (output.get("text", ""), output.get("ename", ""), output.get("evalue", "")):
        assert len(text) <= LONGEST_TEXT + 100


def _runner(notebook: NotebookNode) -> Any:
    relay = SimpleNamespace(failure="", exceeded=False)
    runner = CellRunner(notebook, SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), relay, LIMITS)
    runner.clear_before_next_output = False  # as nbclient sets it before each cell
    return runner


def png(width: int, height: int, more: bytes) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height) + more).decode()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


lines = st.one_of(st.text(max_size=8), st.lists(st.text(max_size=4), max_size=3), st.just("\ud800"), json_values)
pictures = st.builds(
    png, st.sampled_from([1, 4096, 4097, 0, 2**32 - 1]), st.sampled_from([1, 4096, 50]), st.binary(max_size=9)
)
told = st.one_of(st.text(max_size=8), pictures)
bundles = st.one_of(
    st.fixed_dictionaries({"image/png": told}, optional={"text/plain": st.one_of(st.text(max_size=8), lines)}),
    st.fixed_dictionaries({"image/png": st.one_of(pictures, st.lists(told, max_size=2))}),
    st.dictionaries(
        st.sampled_from(["text/plain", "image/png", "text/html", "application/json", "image/svg+xml"]),
        st.one_of(lines, pictures, st.builds(nested, st.sampled_from([5, 200, 500]))),
        max_size=3,
    ),
)
transient = st.sampled_from([{"display_id": "a"}, {"display_id": "b"}, {}, None, {"display_id": []}, "x"])
metadata = st.one_of(
    st.just({}),
    st.just({"image/png": {"alt": "a <b> & 'c'", "width": 3}}),
    st.fixed_dictionaries({"image/png": st.one_of(st.fixed_dictionaries({"alt": lines}), json_values)}),
    json_values,
)
counts = st.one_of(st.integers(0, 9), st.integers(0, 9), st.sampled_from([-1, 2**70, None, True, 1.5, "1"]))
data = st.fixed_dictionaries(
    {"data": st.one_of(bundles, bundles, bundles, json_values), "metadata": metadata},
    optional={"transient": transient, "execution_count": counts},
)
contents = {
    "stream": st.fixed_dictionaries({"name": st.one_of(st.sampled_from(["stdout", "stderr"]), lines), "text": lines}),
    "error": st.fixed_dictionaries(
        {
            "ename": st.one_of(st.just("MemoryError"), st.just("RuntimeError"), lines),
            "evalue": st.one_of(st.just("can't allocate memory"), lines),
            "traceback": st.one_of(st.lists(st.one_of(st.just("In[1]"), lines), max_size=2), lines),
        },
        optional={"transient": transient},
    ),
    "display_data": data,
    "execute_result": data,
    "update_display_data": data,
    "clear_output": st.fixed_dictionaries({}, optional={"wait": json_values}),
    "execute_input": st.fixed_dictionaries({"execution_count": counts}, optional={"code": lines}),
    "status": st.fixed_dictionaries({"execution_state": st.sampled_from(["busy", "idle", None])}),
    "comm_open": st.fixed_dictionaries(
        {"comm_id": lines, "target_name": st.just("jupyter.widget"), "data": json_values}
    ),
    "x": json_values,
}
pairs = st.sampled_from(sorted(contents)).flatmap(
    lambda kind: st.one_of(contents[kind], contents[kind], json_values).map(
        lambda content: [json.dumps(kind).encode(), json.dumps(content).encode()]
    )
)
cases = st.lists(pairs, min_size=1, max_size=6).map(lambda made: pack([part for pair in made for part in pair]))
