"""Small notebooks for the tests of the report, and ways to see what became of them."""

import re
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

EXAMPLES = Path(__file__).parent / "notebooks_for_tests"
PARAMETERS = 'PROFILE = "quick"'
PNG = (  # one white dot
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVO"
    "RK5CYII="
)


def markdown(source: str, *tags: str) -> NotebookNode:
    """A markdown cell."""
    return v4.new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source: str, *tags: str, outputs: tuple = ()) -> NotebookNode:
    """A code cell; outputs are for notebooks that count as executed."""
    return v4.new_code_cell(
        source,
        metadata={"tags": list(tags)},
        outputs=list(outputs),
        execution_count=1 if outputs else None,
    )


def shown(data: dict, **words: str) -> NotebookNode:
    """An output with the words that `course.show` puts into its metadata."""
    metadata = {"cifar100": words} if words else {}
    return v4.new_output("display_data", data=data, metadata=metadata)


def notebook(*cells: NotebookNode, title: str = "# 00 · A title") -> NotebookNode:
    """A notebook of the course: title, parameters, then `cells`."""
    opening = [markdown(title), code(PARAMETERS, "parameters")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=[*opening, *cells], metadata={"kernelspec": kernel})


def write(folder: Path, name: str, *cells: NotebookNode | str) -> Path:
    """Write a notebook called `name`; text stands for a code cell."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook(*ready, title=f"# {name[:2]} · {name[3:]}"), path)
    return path


def contents(report):
    """Every file of a report with its bytes."""
    files = sorted(path for path in report.rglob("*") if path.is_file())
    return {path.relative_to(report).as_posix(): path.read_bytes() for path in files}


def executed(lines):
    """Names of the notebooks that a build said it executed."""
    return sorted(re.findall(r"^(\S+): executed in", "\n".join(lines), re.MULTILINE))


def is_running(pid):
    """Whether a process lives; one that waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_until(condition, seconds=10.0):
    """Whether `condition()` came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
