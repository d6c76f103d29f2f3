"""PyTorch's weights are read without PyTorch, and nothing in the file is executed."""

import builtins
import io
import os
import sys
import zipfile

import numpy as np
import pytest

from cifar100.errors import UserError
from cifar100.torch_pickle import read_tensors
from tests.torch_files import FLOATS, TENSORS, Call, Named, Stored, Tensor, torch_file


@pytest.fixture
def nothing_runs(monkeypatch):
    """Fail if a payload gets through to what it is after."""

    def ran(*arguments):
        pytest.fail(f"a payload was executed with {arguments}")

    targets = (sys.modules[os.system.__module__], "system"), (builtins, "eval")
    for module, name in targets:
        monkeypatch.setattr(module, name, ran)


def test_tensors_are_read_whatever_their_strides(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(torch_file(TENSORS))
    found = read_tensors(path)
    assert list(found) == list(TENSORS)
    for name, array in TENSORS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.c_contiguous


def storage(count=6, kind=FLOATS):
    return Stored("storage", kind, "a", "cpu", count, None)


REFUSED = {
    "shell": ({"a": Call("os", "system", "echo")}, "os.system, which is not data"),
    "eval": ({"a": Call("builtins", "eval", "1")}, "builtins.eval"),
    "other torch": ({"a": Call("torch.hub", "load")}, "torch.hub.load"),
    "nested": ({"a": Call("torch._utils", "os.system", "x")}, "not data"),
    "called dtype": ({"a": Call("torch", "FloatStorage", 9)}, "damaged"),
    "too far": ({"a": Tensor(storage(), 0, (2, 4), (4, 1))}, "another"),
    "many of one": ({"a": Tensor(storage(), 0, (10**9, 10**9), (0, 0))}, "another"),
    "backwards": ({"a": Tensor(storage(), 0, (2,), (-1,))}, "another"),
    "offset": ({"a": Tensor(storage(), 5, (1,), (1,))}, "another"),
    "no numbers": ({"a": Tensor(storage(), 0, (2.5,), (1,))}, "none"),
    "huge": ({"a": Tensor(storage(10**12), 0, (1,), (1,))}, "declared"),
    "objects": ({"a": 3}, "more than tensors"),
    "other kind": (
        {"a": Tensor(storage(6, Named("torch", "HalfStorage")), 0, (1,), (1,))},
        "torch.HalfStorage",
    ),
}


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("case", REFUSED)
def test_programs_and_nonsense_are_refused_in_one_line(tmp_path, case):
    content, words = REFUSED[case]
    numbers = {"a": np.arange(6, dtype="float32")}
    path = tmp_path / "weights.pth"
    path.write_bytes(torch_file(numbers, content=content))
    with pytest.raises(UserError, match=words) as caught:
        read_tensors(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_cut_short_prolonged_or_of_another_kind_are_refused(tmp_path):
    whole = torch_file(TENSORS)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.pkl", b"")
    wrong = {whole[:n]: "weights.pth [a-z ]+" for n in range(0, len(whole), 41)}
    wrong |= {whole + b"x": "goes on", zipped.getvalue(): "PyTorch before 1.6"}
    path = tmp_path / "weights.pth"
    for content, words in wrong.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match=words):
            read_tensors(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_tensors(tmp_path / "nowhere")
