"""Run one notebook in this process and say in a file of its own how that went.

    python -m cifar100.report.execute NOTEBOOK OUT STATUS --profile read --timeout 120

STATUS says `executed` only after the last cell ran, no cell shows an error and every
code cell has been counted by the kernel: papermill's own metadata also look finished
after a dead kernel. STATUS with the suffix `.progress` tells the cell under way.
"""

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from cifar100.errors import one_line
from cifar100.files import write_json
from cifar100.training import environment


class NotebookError(Exception):
    """A notebook did not run to its end: where and why, for a person."""


class Watch:
    """Where the run stands: counts cells as the source notebook does, from 1."""

    def __init__(self, path: Path):
        self.path = path
        self.number, self.first_line = 0, ""

    def start(self, cells: list, index: int) -> None:
        tags = [cell.metadata.get("tags", []) for cell in cells[:index]]
        injected = sum("injected-parameters" in tag for tag in tags)
        self.number = index + 1 - injected
        self.first_line = cells[index].source.strip().partition("\n")[0][:60]
        value = {"cell": self.number, "of": len(cells) - 1}
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(value))
        os.replace(beside, self.path)

    def place(self) -> str:
        return f"cell {self.number} (`{self.first_line}`)"


def own_kernel(folder: Path) -> None:
    """Make `python3` mean this interpreter, and leave no trace in the home folder.

    A kernel of the same name that the user once installed for another environment
    would be found first; JUPYTER_PATH goes before all other places.
    """
    from ipykernel.kernelspec import write_kernel_spec

    write_kernel_spec(folder / "kernels" / "python3")
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), others]))
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")


def kernel_sockets():
    """Settings for a kernel that no other one can disturb while it starts.

    Jupyter looks for free TCP ports, lets them go and has the kernel take them: of
    kernels that start at the same time, one may lose its port to another and die. Linux
    has sockets by name, without a file (`man 7 unix`, "abstract"), and a name is ours.
    """
    from traitlets.config import Config

    if sys.platform != "linux":
        return Config()
    name = f"@cifar100-{uuid.uuid4()}"
    return Config(KernelManager={"transport": "ipc", "ip": name})


def register_engine(watch: Watch) -> None:
    """Papermill's own engine, which tells `watch` when a cell starts."""
    from papermill.engines import NBClientEngine, papermill_engines

    class WatchedEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **options):
            start = nb_man.cell_start

            def cell_start(cell, cell_index=None, **more):
                watch.start(nb_man.nb.cells, cell_index)
                return start(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("watched", WatchedEngine)


def run(notebook: Path, out: Path, profile: str, timeout: int, watch: Watch) -> None:
    """Execute `notebook` in its own folder; NotebookError names the failing cell."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    register_engine(watch)
    try:
        executed = papermill.execute_notebook(
            str(notebook),
            str(out),
            parameters={"PROFILE": profile},
            engine_name="watched",
            kernel_name="python3",
            cwd=str(notebook.parent),
            progress_bar=False,
            execution_timeout=timeout,
            config=kernel_sockets(),
        )
    except papermill.PapermillExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except DeadKernelError:
        reason = "the kernel died (ended by the cell, or killed for lack of memory)"
    except CellTimeoutError:
        reason = f"not done within the {timeout} s that a cell may take"
    except OSError as error:
        reason = one_line(error)
    else:
        check_executed(executed)
        return
    raise NotebookError(f"{watch.place()}: {reason}")


def check_executed(notebook) -> None:
    """Raise NotebookError unless every code cell ran and none shows an error."""
    cells = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "code":
            continue
        if cell.source.strip() and cell.execution_count is None:
            raise NotebookError(f"cell {number}: was not executed")
        for output in cell.outputs:
            if output.output_type == "error":
                raise NotebookError(f"cell {number}: {output.ename}: {output.evalue}")


def device() -> str:
    """The machine in words: graphics card if there is one, processor, cores."""
    words = f"{environment.processor()['name']}, {environment.cores()} cores"
    if smi := shutil.which("nvidia-smi"):
        query = [smi, "--query-gpu=name", "--format=csv,noheader"]
        answer = subprocess.run(  # noqa: S603 (fixed words)
            query, capture_output=True, text=True, check=False
        )
        if answer.returncode == 0 and answer.stdout.strip():
            return f"{answer.stdout.splitlines()[0].strip()}; {words}"
    return words


def end_with_parent() -> None:
    """Have the system end this process when the build is killed, where it can (Linux):
    a kernel without its parent ends too."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        set_death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)
    if os.getppid() != parent:  # it was killed a moment ago
        raise SystemExit(1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cifar100.report.execute")
    for name in ("notebook", "out", "status"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--timeout", type=int, required=True, help="seconds a cell")
    given = parser.parse_args()
    end_with_parent()
    try:
        return execute(given)
    except OSError as error:  # not even the status can be written
        print(one_line(error), file=sys.stderr)
        return os.EX_IOERR


def execute(given: argparse.Namespace) -> int:
    """Run the notebook of the command line; exit status."""
    started = time.monotonic()
    watch = Watch(given.status.with_suffix(".progress"))
    beside = given.status.parent
    with tempfile.TemporaryDirectory(dir=beside, ignore_cleanup_errors=True) as folder:
        own_kernel(Path(folder))
        try:
            run(given.notebook, given.out, given.profile, given.timeout, watch)
        except NotebookError as error:
            write_json(given.status, {"state": "failed", "error": str(error)})
            return 1
    result = {
        "state": "executed",
        "seconds": round(time.monotonic() - started, 1),
        "versions": environment.versions(),
        "device": device(),
    }
    write_json(given.status, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
