"""Nothing of strangers is run, nothing is trusted unseen, nobody else gets in.

What readers make of hostile files is tested with them: test_unpickle, test_download,
test_readers, test_torch_pickle, test_weights, faults/test_bad_input; what notebooks put
on a page in test_report_sanitise and browser/.
"""

import ast
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from small_notebooks import wait_until

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "cifar100").rglob("*.py"), *(ROOT / "scripts").glob("*.py")])
SOURCES.append(ROOT / "build_report.py")


def calls(path):
    """(name or .name called, its keywords, line) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            method = isinstance(node.func, ast.Attribute)
            named = f".{node.func.attr}" if method else getattr(node.func, "id", "")
            words = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            yield named, words, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_ruff_checks_the_rules_of_security_and_its_exceptions_are_explained():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert [rule for rule in rules["ignore"] if rule.startswith("S")] == ["S101"]
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"# noqa: S\d+\b(?! \(\w)", line)
    ]
    assert bare == []


def test_nothing_loads_what_could_run_code():
    """No pickle but our own reader, no Keras file, no YAML, no eval."""
    running = {"eval", "exec", ".load_model", ".system", ".popen"}
    for path in SOURCES:
        for name, words, place in calls(path):
            assert name not in running, place
            assert not words.get("allow_pickle"), place
            assert not words.get("shell"), place
            assert words.get("verify", True) is not False, place
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bpickle\.(loads?|Unpickler)\(", text), path
        assert not re.search(r"(from|import) (dill|joblib|yaml|marshal|shelve)", text)


def test_archives_are_extracted_with_the_data_filter():
    for path in SOURCES:
        for name, words, place in calls(path):
            if name in (".extract", ".extractall"):
                assert words.get("filter") == "data", place


def test_addresses_have_tls():
    """Of what is fetched; a link to http would be read on a page."""
    for path in SOURCES:
        for address in re.findall(r"http://[^\s\"'`)]+", path.read_text()):
            assert address.startswith("http://www.w3.org/"), f"{path}: {address}"


def lab_command():
    """What `make lab` calls, with nothing of ours added."""
    recipe = re.search(r"^lab:.*\n\t@(.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    return shlex.split(recipe.replace("$(PY)", sys.executable).replace("$(ARGS)", ""))


@pytest.fixture
def lab(tmp_path):
    """JupyterLab as `make lab` starts it, and what it says of itself."""
    surroundings = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
    }
    surroundings.pop("JUPYTER_TOKEN", None)
    options = ["--no-browser", *(["--allow-root"] if os.geteuid() == 0 else [])]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            [*lab_command(), *options],
            **{"cwd": ROOT, "env": surroundings, "stdout": log, "stderr": log},
        )
    found = tmp_path / "runtime" / f"jpserver-{process.pid}.json"
    try:
        assert wait_until(found.exists, 60), (tmp_path / "log").read_text()[-2000:]
        yield json.loads(found.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def status_of(address):
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return None  # it listens a moment after its file is there


def own_address():
    """An address of this machine that others could reach; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        found = probe.getsockname()[0]
    return None if found.startswith("127.") else found


def test_the_lab_lets_in_who_has_the_token_and_listens_to_this_machine_only(lab):
    assert "--" not in " ".join(lab_command()).replace("--notebook-dir=notebooks", "")
    assert len(lab["token"]) >= 32
    contents = f"{lab['url']}api/contents"
    assert wait_until(lambda: status_of(contents) == 403, 20)
    assert status_of(f"{contents}?token={lab['token']}") == 200
    if (address := own_address()) is not None:
        with socket.socket() as outside:
            assert outside.connect_ex((address, lab["port"])) != 0
