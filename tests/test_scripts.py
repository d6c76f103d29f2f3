"""Setting up a checkout, and recording from a clean one: the scripts behind make."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_project import ROOT, load_script

SETUP = ROOT / "scripts" / "setup.sh"
BROKEN = "#!/bin/sh\necho 'pyenv: no such command' >&2\nexit 127\n"
OLD = "#!/bin/sh\nexit 1\n"  # fails the question for its version
# Writes down its arguments; asked for its version it is content, else does as $ANSWER.
STAND_IN = """#!/bin/sh
case $2 in *version_info*) exit 0 ;; esac
echo "$*" >>"$LOG"
exit "${ANSWER:-0}"
"""


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path):
    """A checkout with setup.sh and a .venv whose Python only writes down its calls."""
    folder = tmp_path / "a course"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SETUP, folder / "scripts")
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "requirements.lock").write_text("numpy==1\n")
    executable(folder / ".venv" / "bin" / "python", STAND_IN)
    return folder


def run_setup(checkout, *arguments, **variables):
    """Run setup.sh; the finished process, with `.calls` that the Python got."""
    log = checkout / "calls"
    log.unlink(missing_ok=True)
    known = {k: v for k, v in os.environ.items() if not k.startswith("CIFAR100_")}
    command = ["sh", checkout / "scripts" / "setup.sh", *arguments]
    env = known | {"LOG": str(log)} | variables
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, cwd="/"
    )
    done.calls = log.read_text().splitlines() if log.exists() else []
    return done


def find_python(folder):
    """`setup.sh python` where nothing but `folder` is on the PATH."""
    for tool in ("dirname", "sh"):
        (folder / tool).symlink_to(shutil.which(tool))
    return subprocess.run(
        ["sh", SETUP, "python"],
        **{"env": {"PATH": str(folder)}, "capture_output": True, "text": True},
        check=False,
    )


def test_a_shim_that_only_complains_is_passed_over(tmp_path):
    executable(tmp_path / "python3.13", BROKEN)
    executable(tmp_path / "python3.11", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    executable(tmp_path / "python3", BROKEN)
    assert find_python(tmp_path).stdout == "python3.11\n"


def test_without_a_suitable_python_one_line_says_so(tmp_path):
    executable(tmp_path / "python3.12", BROKEN)
    executable(tmp_path / "python3", OLD)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no Python from 3.11 to 3.13")
    assert done.stderr.count("\n") == 1


def test_a_python_without_venv_is_told_how_to_get_it(tmp_path):
    no_venv = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1 ;; esac\nexit 0\n"
    executable(tmp_path / "python3.11", no_venv)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: python3.11 cannot make environments")


def test_environment_is_installed_once_until_the_lock_changes(checkout):
    first = run_setup(checkout, "environment")
    assert first.returncode == 0
    assert any("--require-hashes -r requirements.lock" in c for c in first.calls)
    assert any("--no-deps" in call and "-e ." in call for call in first.calls)
    assert run_setup(checkout, "environment").calls == []
    (checkout / "requirements.lock").write_text("numpy==2\n")
    assert run_setup(checkout, "environment").calls == first.calls


def test_environment_is_installed_again_after_the_checkout_moved(checkout):
    run_setup(checkout, "environment")
    moved = checkout.rename(checkout.with_name("moved"))
    assert run_setup(moved, "environment").calls != []


def test_a_failed_installation_is_tried_again(checkout):
    failed = run_setup(checkout, "environment", ANSWER="1")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("error: the installation failed")
    assert run_setup(checkout, "environment").calls != []


def test_data_that_cannot_be_had_is_no_failure_and_not_asked_for_at_once(checkout):
    first = run_setup(checkout, "data", ANSWER="1")
    assert (first.returncode, first.calls) == (0, ["-m cifar100 data"])
    second = run_setup(checkout, "data", ANSWER="1")
    assert (second.returncode, second.calls) == (0, [])
    assert "no CIFAR-100 here" in second.stderr


def test_make_data_tries_again_and_fails(checkout):
    run_setup(checkout, "data", ANSWER="1")
    again = run_setup(checkout, "data", "again", ANSWER="1")
    assert (again.returncode, again.calls) == (1, ["-m cifar100 data"])


def test_a_source_given_after_a_failure_is_looked_at(checkout):
    run_setup(checkout, "data", ANSWER="1")
    given = run_setup(checkout, "data", CIFAR100_SOURCE="somewhere")
    assert given.calls == ["-m cifar100 data"]


@pytest.fixture
def with_shared(checkout):
    """The checkout, with the tool of a shared folder beside it; uses a real Python."""
    tool = checkout.parent / "shared" / "tools" / "unpack_cifar100.py"
    tool.parent.mkdir(parents=True)
    tool.write_text(
        "import pathlib, sys\n"
        "out = pathlib.Path(sys.argv[1], 'cifar-100-python')\n"
        "out.mkdir()\n"
        "for name in ('meta', 'train', 'test'):\n"
        "    (out / name).write_text(name)\n"
    )
    real = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    executable(checkout / ".venv" / "bin" / "python", real)
    return checkout


def test_data_beside_the_checkout_is_unpacked(with_shared):
    assert run_setup(with_shared, "data").returncode == 0
    assert (with_shared / "data/cifar-100-python/train").read_text() == "train"
    assert run_setup(with_shared, "data").stderr == ""


def test_data_goes_where_cifar100_home_says(with_shared, tmp_path):
    run_setup(with_shared, "data", CIFAR100_HOME=str(tmp_path / "my home"))
    assert (tmp_path / "my home/data/cifar-100-python/test").exists()
    assert not (with_shared / "data").exists()


# Recording. The package of these checkouts only says where it stands.

PACKAGE = """import subprocess, sys
from pathlib import Path
import cifar100, os
print(Path(cifar100.__file__).parent, os.environ["CIFAR100_HOME"], *sys.argv[1:])
print(Path(cifar100.__file__).with_name("value").read_text())
sys.stdout.flush()
if sys.argv[1] == "record":
    sys.exit(subprocess.run([sys.executable, "-m", "cifar100", "train"]).returncode)
"""
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder, *arguments):
    subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")


@pytest.fixture
def repository(tmp_path):
    if not shutil.which("git"):
        pytest.skip("needs git")
    folder = tmp_path / "a repository"
    package = folder / "cifar100"
    package.mkdir(parents=True)
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "record.py", folder / "scripts")
    (folder / "requirements.lock").write_text("numpy==1\n")
    (folder / ".gitignore").write_text(".cache/\n__pycache__/\n")
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PACKAGE)
    (package / "value").write_text("committed")
    git(folder, "init", "-q")
    commit(folder)
    return folder


def record(folder, *arguments):
    script = folder / "scripts" / "record.py"
    env = {k: v for k, v in os.environ.items() if k != "CIFAR100_HOME"}
    return subprocess.run(
        [sys.executable, script, *arguments],
        **{"cwd": folder, "env": env, "capture_output": True, "text": True},
        check=False,
    )


def test_recording_and_its_workers_run_what_is_committed(repository):
    (repository / "cifar100" / "value").write_text("in the middle of an edit")
    done = record(repository, "--budget", "2h")
    assert done.returncode == 0, done.stderr
    worktree = repository / ".cache" / "recording" / "cifar100"
    assert done.stdout.splitlines()[1:] == [
        f"{worktree} {repository} record --budget 2h",
        "committed",
        f"{worktree} {repository} train",
        "committed",
    ]


def test_recording_follows_new_commits_and_drops_what_was_changed_there(repository):
    record(repository)
    (repository / "cifar100" / "value").write_text("next")
    commit(repository)
    worktree = repository / ".cache" / "recording"
    (worktree / "cifar100" / "value").write_text("tampered with")
    assert record(repository).stdout.splitlines()[2] == "next"
    copy = Path(shutil.copytree(repository, repository.with_name("copy")))
    (copy / "cifar100" / "value").write_text("of the copy")
    commit(copy)
    assert record(copy).stdout.splitlines()[2] == "of the copy"
    assert record(repository).stdout.splitlines()[2] == "next"


def test_recording_refuses_a_lock_file_that_is_not_committed(repository):
    (repository / "requirements.lock").write_text("numpy==2\n")
    done = record(repository)
    assert done.returncode == 2
    assert done.stderr == (
        "error: requirements.lock differs from the committed one; commit it first\n"
    )


def test_a_second_recording_is_refused_while_one_runs(repository):
    (repository / "cifar100" / "__main__.py").write_text("print(flush=True); input()")
    commit(repository)
    command = [sys.executable, repository / "scripts" / "record.py"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=repository, **pipes) as first:
        first.stdout.readline()
        first.stdout.readline()  # from within the command
        second = record(repository)
        first.communicate(b"\n")
    assert second.returncode == 2
    assert "a recording is running already" in second.stderr
    assert first.returncode == 0


# Pins


def test_pins_are_renewed_and_comments_kept():
    text = "  - python=3.11\n  - pip:\n      - Pillow==1.0 # pictures\n      - -e .\n"
    renewed = load_script("update_pins").updated(text, {"pillow": "13.0.0"})
    assert renewed == text.replace("1.0", "13.0.0")


def test_the_pin_of_the_right_python_is_taken():
    lock = (
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n"
    )
    locked = load_script("update_pins").locked
    assert locked(lock, "3.11") == {"numpy": "2.4.6"}
    assert locked(lock, "3.13") == {"numpy": "2.5.5"}
