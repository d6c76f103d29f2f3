"""A build that can't come to its end says which notebook and cell, and exits with 1."""

import os
import re
import subprocess
import sys

import pytest
from small_notebooks import contents, is_running, wait_until, write

from cifar100 import paths
from cifar100.report.build import Options, build

PROGRAM = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import build_report
from cifar100.report.build import Options
from cifar100.report.runner import Limits
home = pathlib.Path(sys.argv[2])
limits = Limits(cell=int(sys.argv[3]), notebook=int(sys.argv[4]))
build_report.read_options = lambda _: Options(
    notebooks=home / "notebooks", limits=limits, jobs=3
)
sys.exit(build_report.main())
"""
MEMORY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
taken = bytearray(2**32)
"""
FAULTS = {
    # name: (cell, what the line says)
    "00-killed": ("import os\nos.kill(os.getpid(), 9)", "the kernel died"),
    "01-exit": ("import os\nos._exit(1)", "the kernel died"),
    "03-crash": ("import ctypes\nctypes.string_at(0)", "the kernel died"),
    "04-memory": (MEMORY, "MemoryError"),
    "05-hang": ("import time\ntime.sleep(100)", "the 4 s that a cell may take"),
    "06-error": ("x = 1\nraise ValueError('so')", "ValueError: so"),
    "07-leaves": ("raise SystemExit(0)", "SystemExit"),
    "08-kills": ("import os\nos.kill(os.getppid(), 9)", "killed (SIGKILL)"),
}


def command(home, cell=30, notebook=60):
    """`build_report.py` with limits of its own."""
    arguments = [str(paths.package_root()), str(home), str(cell), str(notebook)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], **pipes)


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The command over all faults at once, and a report that stood before."""
    home = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        write(home / "notebooks", "09-good", "print('good')")
        build(Options(notebooks=home / "notebooks"), print)
        before = contents(home / "report")
        for name, (source, _) in FAULTS.items():
            write(home / "notebooks", name, "print('first')", source, "print('last')")
        process = command(home, cell=4)
        out, err = process.communicate(timeout=120)
    kept = [path.name for path in (home / ".cache" / "report" / "read").iterdir()]
    whole = contents(home / "report") == before and kept == ["09-good"]
    return process.returncode, out, err, whole


@pytest.mark.parametrize("name", FAULTS)
def test_the_line_names_notebook_cell_and_reason(failed, name):
    _, _, err, _ = failed
    (line,) = [line for line in err.splitlines() if f"{name}.ipynb" in line]
    assert re.search(rf"{name}\.ipynb, cell 4( \(`.+`\)| of 5)?: ", line), err
    assert FAULTS[name][1] in line, err


def test_it_exits_with_1_and_the_last_good_report_stays_whole(failed):
    code, _, err, whole = failed
    assert code == 1
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert whole


def test_of_two_builds_at_once_one_works_and_one_says_so(home):
    """Neither is kept waiting, and the one that works is not disturbed."""
    source = "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(3)"
    write(home / "notebooks", "00-slow", source)
    first = command(home)
    assert wait_until((home / "notebooks" / "started").exists, 30)
    second = command(home)
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (1, "")
    assert err == "error: another build is under way; wait for it to end\n"
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, "")
    assert (home / "report" / "00-slow.html").exists()


def test_a_notebook_that_hangs_is_ended_with_its_kernel(home):
    """By the time of a whole notebook, though each of its cells is in time."""
    cells = ["import os, pathlib, time"]
    cells += ["pathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(2)"] * 9
    write(home / "notebooks", "00-hang", *cells)
    process = command(home, cell=30, notebook=12)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"00-hang\.ipynb, cell \d+ of 12: not done within the 12 s", err)
    kernel = int((home / "notebooks" / "pid").read_text())
    assert wait_until(lambda: not is_running(kernel))
    assert not (home / "report").exists()
    assert os.listdir(home / ".cache" / "report" / "read") == []
