"""What the project says of itself is so: its layers, its settings, its commands, its documents."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest
import typer
from git_files import git_files
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.coursedir import CourseDirectory

from autograder import cli, settings
from autograder.model.assignment import Limits
from autograder.sandbox import choose
from autograder.sandbox.interface import INSIDE_CODE, INSIDE_SLOT, INSIDE_WORK, KEPT_OUT

ROOT = Path(__file__).parents[2]
UNITS = {"mb": 2**20, "kb": 2**10}


def tracked(*suffixes):
    """The files of the repository with these suffixes, committed or about to be."""
    paths = [ROOT / name for name in git_files("--cached", "--others", "--exclude-standard")]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def section(text, title):
    """The part of a Markdown text under a heading that names `title` in backquotes."""
    found = re.search(rf"^#+ `{re.escape(title)}.*?$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def commands(group, path=()):
    """(words, command) of each command of the program, those of its groups included."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(cli.app)))


def test_the_layers_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def course_tables():
    """(title, table) of each table of course.toml, as TOML writes it."""
    for name, field in settings._Course.model_fields.items():
        several = get_args(field.annotation)
        yield (f"[[{name}]]", several[0]) if several else (f"[{name}]", field.annotation)


@pytest.mark.parametrize(("title", "table"), list(course_tables()))
def test_settings_are_documented(title, table):
    text = section((ROOT / "docs/settings.md").read_text(), title)
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(table.model_fields)


def test_documented_limits_are_the_defaults():
    text = section((ROOT / "docs/settings.md").read_text(), "[limits]")
    documented = {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| `(\d+)` \|", text, re.MULTILINE)}
    defaults = asdict(Limits())
    for name, value in documented.items():
        stem, _, unit = name.rpartition("_")
        key = f"{stem}_bytes" if unit in UNITS else name
        assert value * UNITS.get(unit, 1) == defaults.pop(key), name
    assert not defaults


def test_environment_variables_are_documented():
    sources = [path.read_text() for path in (ROOT / "autograder").rglob("*.py")]
    used = {name for text in sources for name in re.findall(r"\"(AUTOGRADER_[A-Z_]+)\"", text)}
    text = (ROOT / "docs/settings.md").read_text()
    assert used
    assert [name for name in sorted(used) if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_options_are_documented(words):
    text = section((ROOT / "docs/commands.md").read_text(), " ".join(["autograder", *words]))
    options = [p for p in COMMANDS[words].params if p.param_type_name == "option" and p.name != "help"]
    for option in options:
        assert option.help, f"{option.name} has no help"
        assert all(f"`{flag}" in text for flag in option.opts), f"{option.opts} of {' '.join(words)}"
    documented = set(re.findall(r"^- .*?:", text, re.MULTILINE))
    flags = {flag for line in documented for flag in re.findall(r"--[a-z-]+", line)}
    assert flags == {flag for option in options for flag in option.opts if flag.startswith("--")}


def test_every_sandbox_is_documented():
    table = (ROOT / "README.md").read_text().partition("## Which sandbox")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(choose.names())
    option = re.search(
        r"^- `--sandbox KIND`.*?(?=^- )", (ROOT / "docs/commands.md").read_text(), re.MULTILINE | re.DOTALL
    )[0]
    assert [name for name in ("auto", *choose.names()) if f"`{name}`" not in option] == []


def documented_targets():
    """Files and folders that documented commands write in the project's folder, those of nbgrader included."""
    texts = [path.read_text() for path in (ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md"))]
    texts += [command.epilog or "" for command in COMMANDS.values()]
    written = {target for text in texts for target in re.findall(r"--(?:output|to|json)[ =]([\w./]+)", text)}
    written |= {default for (_, command) in COMMANDS.items() for default in defaults(command) if default}
    written -= {"FILE", "FOLDER/", "-"}
    nbgraders = CourseDirectory()
    folders = {
        getattr(nbgraders, f"{kind}_directory") for kind in ("release", "submitted", "autograded", "feedback")
    } | {ZipCollectApp.downloaded_directory.default_value}
    return sorted(written | {f"course/{folder}/ada/convolution/x" for folder in folders})


def defaults(command):
    """The default targets of a command's options that name a file."""
    return [p.default for p in command.params if "FILE" in (p.metavar or "") and isinstance(p.default, str)]


def test_what_documented_commands_write_is_ignored_by_git():
    targets = documented_targets()
    assert {"scores.csv", "students.zip", "course/downloaded/ada/convolution/x"} <= {*targets}
    git_files()  # skips where git cannot be asked
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "check-ignore", "--no-index", "--stdin"],
        cwd=ROOT, input="\n".join(targets), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert sorted({*targets} - {*done.stdout.splitlines()}) == []


def test_clean_example_removes_all_that_make_grade_wrote_and_nothing_else(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    text = (ROOT / "Makefile").read_text()
    written = [f"build/{name}" for name in re.findall(r"(?:--json|--to) build/([\w./]+)", text)]
    assert written
    written = [f"{name}convolution.json" if name.endswith("/") else name for name in written]
    written += [
        "course/gradebook.db",
        "course/attempts.db-journal",
        "course/feedback/ada/x.html",
        "course/autograded/x",
    ]
    kept = ["build/fuzz/found", "course/course.toml", "course/gradebook.db.backup", "course/.secret"]
    for name in [*written, *kept, "course/submitted/ada/convolution/convolution.ipynb"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "course/submitted/.example").write_text("ada\n")
    subprocess.run(["make", "clean-example"], cwd=tmp_path, check=True, capture_output=True)
    assert [name for name in written if (tmp_path / name).exists()] == []
    assert [name for name in kept if not (tmp_path / name).exists()] == []
    assert not (tmp_path / "course/submitted").exists()


def test_only_course_toml_lists_the_assignments():
    course = tomllib.loads((ROOT / "course/course.toml").read_text())
    names = [assignment["name"] for assignment in course["assignments"]]
    assert names
    for path in (ROOT / "Makefile", ROOT / ".ci/run"):
        assert [name for name in names if re.search(rf"\b{name}\b", path.read_text())] == [], path


def test_no_path_of_a_developers_machine_is_in_the_project():
    ours = {INSIDE_CODE, INSIDE_SLOT, INSIDE_WORK}  # a clone may lie where a sandbox has something else
    here = "" if str(ROOT) in ours or len(ROOT.parts) < 3 else rf"|{re.escape(str(ROOT))}\b"
    home = re.compile(rf"(?<![\w.])/(?:root/\w|home/\w+/|Users/\w+/){here}")
    texts = {
        path: path.read_text(errors="replace") for path in tracked(".py", ".md", ".toml", ".yml", ".sh", ".ipynb", "")
    }
    assert texts
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if home.search(text)] == []


def test_links_between_documents_lead_somewhere():
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked(".md")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_decision_is_in_their_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert pages
    assert [name for name in pages if f"({name})" not in index] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/settings.md", "docs/commands.md"])
def test_commands_in_the_documents_exist(name):
    text = (ROOT / name).read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE))
    folders = {f"test-{folder.name}" for folder in (ROOT / "tests").iterdir() if folder.is_dir()}
    assert asked <= targets | folders
    words = set(re.findall(r"(?:^|`|bin/)autograder ([a-z]+)", text, re.MULTILINE))
    assert words <= {path[0] for path in COMMANDS}


def test_the_packages_of_a_profile_are_documented():
    row = re.search(r"^\| `profile` \|.*$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)[0]
    shown, _, hidden = row.partition("; no ")
    names = {"sklearn": "scikit-learn", "skimage": "scikit-image"}
    libraries = ("numpy", "pandas", "matplotlib", "torch", "scipy", "sklearn", "skimage")
    for name in libraries:
        told = hidden if name in KEPT_OUT["numpy"] else shown
        assert names.get(name, name) in told, name


def test_no_two_test_modules_have_one_name():
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == [], "pytest imports them by these names"
