"""The half of a GPU visit that runs on the other machine, where nothing can be fetched.

    python3 scripts/gpu_machine.py data
    python3 scripts/gpu_machine.py record SET SECONDS [OPTIONS OF cifar100 record]

What came along stands in .visit/ (scripts/gpu_visit.py made it). What has to last from
one call to the next goes to $VISIT_HOME, /root/visit by default; packed records and
logs go to $OUT. Each command may be given again: it goes on where it was.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn

from gpu_parts import put_together

CARRIED = Path(__file__).resolve().parent.parent / ".visit"
DEVICES = "import jax, keras; print(jax.devices()); print(jax.devices()[0].platform)"


def keep_parts(parts: Path) -> None:
    """Copy the parts that came along to where they outlast this call."""
    for folder in sorted([*CARRIED.glob("data-*"), *CARRIED.glob("pretrained-*")]):
        if not (parts / folder.name).exists():
            parts.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=parts, prefix=".") as new:
                shutil.copytree(folder, Path(new, folder.name))
                os.replace(Path(new, folder.name), parts / folder.name)
    here = sorted(path.name for path in parts.glob("[!.]*"))
    print("parts here:", *here, flush=True)


def unpack_tools(package: Path, site: Path) -> None:
    """Put the package snapshot and the Python packages that this machine lacks down."""
    tools = CARRIED / "tools"
    if not (tools / "package.tar").exists():
        stop(f"{tools} did not come along", 2)
    for folder in package, site:
        shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(tools / "package.tar") as archive:
        archive.extractall(package, filter="data")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    install += ["--no-compile", "--disable-pip-version-check"]
    install += ["--root-user-action=ignore", "--target", str(site)]
    subprocess.run([*install, *sorted(tools.glob("*.whl"))], check=True)  # noqa: S603 (pip)


def record(name: str, seconds: str, options: list[str]) -> int:
    """Record a set for that many seconds; the exit status of `cifar100 record`."""
    if not os.environ.get("OUT"):
        stop("$OUT, the folder for packed records, is not set", 2)
    home, out = visit_home(), Path(os.environ["OUT"]).resolve()
    package, site, parts = home / "package", home / "site", home / "parts"
    keep_parts(parts)
    unpack_tools(package, site)
    (home / ".cache" / "pretrained").mkdir(parents=True, exist_ok=True)
    shutil.copy(CARRIED / "tools" / "macs.json", home / ".cache")
    for weights in parts.glob("pretrained-*/*.npz"):
        shutil.copy(weights, home / ".cache" / "pretrained")
    # The package comes first, and is also where the command runs: never the checkout.
    environment = os.environ | {
        "PYTHONPATH": f"{package}{os.pathsep}{site}",
        "PYTHONUNBUFFERED": "1",
        "KERAS_BACKEND": "jax",
        "CIFAR100_HOME": str(home),
    }
    here = {"cwd": package, "env": environment}
    python = sys.executable
    if not (home / "data" / "cifar-100-python" / "test").exists():
        sys.path.insert(0, str(package))
        try:
            put_together(parts, home / "data" / "cifar-100-python")
        except FileNotFoundError as error:
            stop(f"{error} did not come along; do the data calls again", 2)
        subprocess.run([python, "-m", "cifar100", "data"], check=True, **here)  # noqa: S603 (our own command)
    print((package / "commit.json").read_text(), flush=True)
    if shutil.which("nvidia-smi"):
        subprocess.run(["nvidia-smi", "-L"], check=False)  # noqa: S607 (where it is, differs)
    devices = subprocess.run(  # noqa: S603 (our own words)
        [python, "-c", DEVICES], stdout=subprocess.PIPE, text=True, check=True, **here
    ).stdout
    print(f"Python {sys.version.split()[0]}, {devices}", flush=True)
    if devices.split()[-1] != "gpu" and "--rehearsal" not in options:
        stop("JAX sees no GPU here; nothing is recorded", 1)
    command = [python, "-m", "cifar100", "record", "--set", name]
    command += ["--pack", str(out / f"{name}.zip"), "--budget", f"{seconds}s"]
    with (
        open(out / "record.log", "w") as log,
        subprocess.Popen(  # noqa: S603 (our own command)
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **here,
        ) as process,
    ):
        for line in process.stdout:
            print(line, end="", flush=True)
            log.write(line)
            log.flush()
    with zipfile.ZipFile(out / "logs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (home / ".cache" / "logs").glob("*.log"):
            archive.write(path, path.name)
    return process.returncode


def visit_home() -> Path:
    """Where things stand that outlast a call."""
    return Path(os.environ.get("VISIT_HOME", "/root/visit")).resolve()


def stop(reason: str, status: int) -> NoReturn:
    """End with one line; 2 is wrong input or surroundings, 1 a failure during work."""
    print(f"error: {reason}", file=sys.stderr)
    raise SystemExit(status)


def main(arguments: list[str]) -> int:
    """Do one call's work."""
    match arguments:
        case ["data"]:
            keep_parts(visit_home() / "parts")
            return 0
        case ["record", name, seconds, *options] if seconds.isdecimal():
            return record(name, seconds, options)
        case _:
            return stop("expected `data`, or `record SET SECONDS`", 2)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        stop(f"{' '.join(error.cmd[1:4])} failed with {error.returncode}", 1)
