"""Cells as students write them at home: what only their machine has does not cost what stands below it."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.kernel.session import KernelSession
from autograder.model.assignment import Limits
from autograder.model.submission import SubmittedFile
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot
from autograder.sandbox.unconfined import Unconfined

LIMITS = Limits(cell_seconds=20, call_seconds=20, total_seconds=100, memory_bytes=512 * 2**20)
FILES = (
    SubmittedFile("helpers.py", b"def given():\n    return 'given'\n"),
    SubmittedFile("data/points.csv", b"1,2\n3,4\n"),
)
DEFINED = "def defined():\n    return 1"


@pytest.fixture(scope="module", params=[Unconfined, Bubblewrap], ids=["none", "bwrap"])
def slot(request):
    if (reason := request.param().missing()) is not None:
        pytest.skip(reason)
    with Slot(request.param(), SlotSpec("numpy", LIMITS)) as made:
        yield made


class Ran:
    """Cells after they have run."""

    def __init__(self, execution):
        self.cells = execution.notebook.cells
        assert execution.lost == []

    def text(self, position):
        return "".join(output.get("text", "") for output in self.cells[position].outputs)

    def errors(self, position):
        return [(each.ename, each.evalue) for each in self.cells[position].outputs if each.output_type == "error"]

    def result(self):
        """Of the last cell."""
        assert self.errors(-1) == []
        return next(each.data["text/plain"] for each in self.cells[-1].outputs if each.output_type == "execute_result")


@pytest.fixture
def run(slot):
    def run(*sources, files=FILES):
        with KernelSession(slot, "ada", LIMITS, files) as session:
            return Ran(session.run(new_notebook(cells=[new_code_cell(source) for source in sources])))

    return run


@pytest.mark.parametrize(
    "line",
    [
        "!ls", "!pip install numpy", "!{sys.executable} -m pip install -q numpy", "files = !ls", "%pip install x",
        "%conda install -y x", "%uv pip install x", "%ls", "%cd ..", "%cd /content/drive/MyDrive", "%pwd", "%mkdir x",
        "%matplotlib inline", "%matplotlib notebook", "%matplotlib widget", "%matplotlib qt",
        "%load_ext autoreload\n%autoreload 2", "%load_ext nb_black", "%load_ext tensorboard\n%tensorboard --logdir x",
        "%tensorflow_version 2.x", "%time x = 1", "%timeit -n 1 -r 1 1 + 1", "%env X=1", "%run helpers.py",
        "%run other.py", "%load helpers.py", "%load other.py", "%config InlineBackend.figure_format = 'retina'",
        "!git clone https://example.org/x", "!wget https://example.org/x", "!exit 3", "!no-such-program",
        "get_ipython().system('ls')", "import os; os.system('ls')", "import subprocess; subprocess.run(['ls'])",
        "import subprocess; subprocess.run(['no-such-program'])",
        "import subprocess; subprocess.run('exit 1', shell=True, check=True)",
        "from google.colab import drive\ndrive.mount('/content/drive')",
        "import cv2\nimage = cv2.imread('x')\nimage.shape",
        "import seaborn as sns, os\nsns.set_theme()", "from seaborn import *\nset_theme()",
        "import matplotlib\nmatplotlib.use('TkAgg')", "import os\nos.chdir('/content/drive')",
        "import numpy as np\nx = np.load('/content/x.npy')\nx.mean()", "n = int(input())\nprint(n)",
        "from numpy import product\nproduct([1])", "%pdb on\n%store x", "%debug",
    ],
)  # fmt: skip
def test_what_only_the_students_machine_has_ends_no_cell(run, line):
    ran = run(f"import sys\n{line}\n{DEFINED}", "defined()")
    assert ran.result() == "1"


@pytest.mark.parametrize("magic", ["%%time", "%%capture", "%%nb_black", "%%memit -r 1"])
def test_cell_magics_cost_no_definition(run, magic):
    ran = run(f"{magic}\nimport cv2\n{DEFINED}", "defined()")
    assert ran.result() == "1"


@pytest.mark.parametrize("magic", ["%%bash", "%%sh", "%%script bash", "%%script false --no-raise-error"])
def test_shell_cells_run_as_in_jupyter(run, magic):
    ran = run(f"{magic}\necho said; ls", "1")
    assert ran.errors(0) == []
    assert "helpers.py" in ran.text(0) or "false" in magic


def test_other_errors_end_their_cell(run):
    ran = run("import cv2\nx = 1\n1 / 0\nx = 2", "y = undefined\ny = 1", "x, 'y' in globals()")
    assert [name for name, _ in ran.errors(0)] == ["ModuleNotFoundError", "ZeroDivisionError"]
    assert [name for name, _ in ran.errors(1)] == ["NameError"]
    assert ran.result() == "(1, False)"


def test_statements_of_one_line_run_once_each(run):
    ran = run("n = []\nn.append(1); import cv2; n.append(2)\nn.append(3)", "n")
    assert ran.result() == "[1, 2, 3]"
    assert len(ran.errors(0)) == 1


def test_only_so_many_statements_are_skipped(run):
    ran = run("\n".join(["import cv2"] * 40), "1")
    assert 20 <= len(ran.errors(0)) <= 21


def test_a_shell_line_says_what_it_said_and_how_it_ended(run):
    ran = run("!echo one; echo two >&2; exit 7", "_exit_code", "n = 2\nx = !echo {n} $n", "x[0]")
    assert ran.text(0) == "one\ntwo\n"
    assert ran.result() == "'2 2'"


def test_packages_are_not_installed_and_those_that_are_there_are_named(run):
    ran = run("%pip install seaborn", "!pip install seaborn && echo yes", "1")
    for position in (0, 1):
        assert f"Installed are: Python {platform.python_version()}, numpy {np.__version__}" in ran.text(position)
    assert "yes\n" not in ran.text(1)


def test_a_missing_package_is_named(run):
    ran = run("import seaborn", "def f():\n    import seaborn", "f()", "1")
    for position in (0, 2):
        ((name, told),) = ran.errors(position)
        assert name == "ModuleNotFoundError"
        assert "`seaborn` is not among the packages that this assignment is graded with (Python 3." in told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import numpy as np\nnp.product([1])", rf"graded with numpy {np.__version__}"),
        ("import numpy as np\nnp.ones(3).ptp()", rf"graded with numpy {np.__version__}"),
        ("import numpy\nnumpy.sum([1], axes=0)", rf"graded with numpy {np.__version__}"),
        ("from numpy import trapz", rf"graded with numpy {np.__version__}"),
        ("import numpy.typings", rf"graded with numpy {np.__version__}"),
        ("def f(x): pass\nf(y=1)", "f() got an unexpected keyword argument 'y'"),
        ("class A: pass\nA().x", "'A' object has no attribute 'x'"),
    ],
)
def test_another_version_of_a_package_is_named(run, code, told):
    ((_, found),) = run(code).errors(0)
    assert found.endswith((told, f"({told})"))


def test_the_files_are_in_the_working_folder_and_cd_does_not_lead_away(run):
    ran = run(
        "import helpers", "%cd ..", "import numpy as np\npoints = np.loadtxt('data/points.csv', delimiter=',')",
        "import os; os.chdir('..')", "helpers.given(), points.sum(), os.path.exists('helpers.py')",
    )  # fmt: skip
    assert "not there while grading" in ran.text(1)
    assert ran.result() == "('given', np.float64(10.0), True)"


def test_a_module_that_a_cell_writes_can_be_imported(run):
    ran = run("%%writefile mine.py\ndef f():\n    return 2", "from mine import f\nf()")
    assert ran.result() == "2"


def test_what_worker_processes_print_comes_in_whole_lines(run):
    ran = run(
        "import multiprocessing\ndef say(x):\n    print('line', x)\n    return x",
        "with multiprocessing.Pool(2) as pool:\n    pool.map(say, range(8))\nprint('done')",
    )
    lines = ran.text(1).splitlines()
    assert sorted(lines) == sorted([*(f"line {x}" for x in range(8)), "done"])


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import socket\nsocket.socket()", "no network"),
        ("import urllib.request\nurllib.request.urlopen('http://192.0.2.1/', timeout=1)", "no network"),
        ("open('/tmp/x', 'w')", "use a relative path"),
        ("import os\nos.setpriority(os.PRIO_PROCESS, 1, 5)", "does not allow"),
        ("open('none.csv')", "only files handed in or released"),
        ("input()", "nobody answers"),
    ],
)
def test_what_the_sandbox_forbids_says_what_to_write_instead(run, slot, code, told):
    if not slot.enclosure.walls and "open('n" not in code and "input" not in code:
        pytest.skip("without walls nothing is forbidden")
    assert told in run(code).errors(0)[-1][1]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import seaborn", "`seaborn` is not among the packages"),
        ("import numpy as np\n    np.product([1])", f"(graded with numpy {np.__version__})"),
        ("open('none.csv')", "only files handed in or released"),
        ("cv2.imread('x')", "the statement that defines it failed"),
    ],
)
def test_a_call_says_the_same(slot, body, told):
    cells = [new_code_cell(source) for source in ("import cv2", f"def f():\n    {body}")]
    with KernelSession(slot, "ada", LIMITS) as session:
        session.run(new_notebook(cells=cells))
        reply, _ = session.request({"operation": "call", "name": "f"}, [], 10)
    assert reply["cause"] == "exception"
    assert told in reply["message"]
