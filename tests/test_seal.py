"""Test predictions are sealed: notebook 15 alone may open them, by one function."""

import ast
import re

import pytest
from small_notebooks import write
from test_project import PACKAGE, ROOT, cells, modules

SEALED = re.compile(
    r"open_test|test\.npz|test-logits|predictions_path|read_arrays|\.npz"
)
EXAM = "15-final-exam.ipynb"
NUMPY = {"np.load", "np.memmap", "np.fromfile"}


def calls_of(name):
    """(module, function) around each call of `name` in the package."""
    found = set()
    for module, path, _ in modules():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    called = node.func if isinstance(node, ast.Call) else None
                    if getattr(called, "id", getattr(called, "attr", None)) == name:
                        found.add((module, function.name))
    return found


def breaks_the_seal(notebook):
    """Whether the code of a notebook mentions what opens test predictions."""
    code = ["".join(cell["source"]) for cell in cells(notebook, "code")]
    return notebook.name != EXAM and any(SEALED.search(text) for text in code)


def openers(source):
    """What in a module could open a file of predictions: calls that read arrays or
    archives, and places of predictions that are not spelled out."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            spelled = node.args and isinstance(node.args[0], ast.Constant)
            called = ast.unparse(node.func)
            reads = called in NUMPY or name == "ZipFile"
            if reads or (name == "predictions_path" and not spelled):
                found.append(called)
    return sorted(found)


def test_the_package_opens_test_predictions_in_one_function_only():
    readers = ("val", "val_logits", "open_test")
    assert calls_of("read_arrays") == {("cifar100.records", name) for name in readers}
    weights = {("cifar100.network_file", "unpack"), ("cifar100.pretrained", "_cached")}
    assert calls_of("read_npz") == {("cifar100.records", "read_arrays")} | weights
    text = (PACKAGE / "records.py").read_text(encoding="utf-8")
    (opener,) = [
        ast.get_source_segment(text, node)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "open_test"
    ]
    text = "".join(path.read_text(encoding="utf-8") for _, path, _ in modules())
    asked = r"predictions_path\(\s*['\"]([\w-]+)"
    assert re.findall(asked, text.replace(opener, "")) == ["val", "val-logits"]
    assert re.findall(asked, opener) == ["test", "test-logits"]


# Who else reads arrays or archives, and what: none of it is a file of predictions, but
# for `checking` and `Record.files`, which hash them, and `packing`, which moves them.
READERS = {
    "cifar100.cache": ["np.load"],
    "cifar100.checking": ["record.predictions_path"],
    "cifar100.npz": ["np.load", "zipfile.ZipFile"],
    "cifar100.packing": ["zipfile.ZipFile", "zipfile.ZipFile"],
    "cifar100.pretrained": ["zipfile.ZipFile"],
    "cifar100.records": ["self.predictions_path", "self.predictions_path"],
    "cifar100.training.checkpoint": ["np.load"],
}


def test_every_other_reader_of_arrays_is_known():
    found = {name: openers(path.read_text("utf-8")) for name, path, _ in modules()}
    assert {name: calls for name, calls in found.items() if calls} == READERS


@pytest.mark.parametrize(
    "code",
    [
        "np.load(record.path.with_suffix('.test.npz'))",
        "[record.predictions_path(split) for split in SPLITS]",
        "zipfile.ZipFile(path)",
    ],
)
def test_a_module_that_reads_arrays_in_another_way_is_found(code):
    assert openers(code) != []


def test_nothing_but_the_exam_opens_test_predictions():
    """No module calls the function, no script names it, and of all notebooks, drafts
    included, notebook 15 alone does."""
    assert calls_of("open_test") == set()
    own = list(ROOT.glob("*.py"))
    own += [p for f in ("scripts", "benchmarks") for p in (ROOT / f).glob("*.py")]
    own += [path for _, path, _ in modules() if path != PACKAGE / "records.py"]
    mentions = [p.name for p in own if "open_test" in p.read_text(encoding="utf-8")]
    assert mentions == ["exam.py"]  # its docstring says where the values come from
    sealed = re.compile(r"test\.npz|test-logits|predictions_path|read_arrays")
    outside = [path for path in own if PACKAGE not in path.parents]
    assert [p.name for p in outside if sealed.search(p.read_text("utf-8"))] == []
    notebooks = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    assert [p.name for p in notebooks if p.name == EXAM] == [EXAM]
    assert [p.name for p in notebooks if breaks_the_seal(p)] == []


@pytest.mark.parametrize(
    "code",
    [
        "records.open_test(records.list_records())",
        "from cifar100.records import open_test as look",
        "record.predictions_path('test')",
        "np.load(folder / 'seed-0.test.npz')",
        "folder.glob('*.npz')",
    ],
)
def test_another_notebook_that_opens_test_predictions_is_found(tmp_path, code):
    notebook = write(tmp_path, "05-dropout", "1 + 1", code)
    assert breaks_the_seal(notebook)
    assert not breaks_the_seal(notebook.rename(tmp_path / EXAM))
    assert not breaks_the_seal(write(tmp_path, "06-honest", "record.val()"))
