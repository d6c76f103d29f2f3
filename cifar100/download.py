"""Download CIFAR-100: resumable, TLS on, and trusting nothing but the content.

The official server was throttled to some 80 kB/s in 2026 (keras-team/keras#23699,
pytorch/vision#9536), so an address that is slow waits until the others were tried.
"""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from rich import progress as bars
from rich.console import Console

from cifar100.archive import LARGEST, unpack
from cifar100.errors import DataMissing, UserError
from cifar100.files import locked, scratch_folder
from cifar100.official import FOLDER

ARCHIVE = f"{FOLDER}.tar.gz"
OFFICIAL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
# PaddlePaddle's copy, which its python/paddle/vision/datasets/cifar.py names with the
# md5 of the official archive.
MIRROR = f"https://dataset.bj.bcebos.com/cifar/{ARCHIVE}"

TIMEOUT = (10, 30)  # seconds to connect, and of silence
RETRIES = 4  # attempts in a row that bring nothing new
WAIT = 1  # seconds before the second attempt; doubles with each idle one
PATIENCE = 20  # seconds before an address may count as slow
SLOW = 200_000  # bytes per second
CHUNK = 2**16

Report = Callable[[str, int, int | None], None]  # address, bytes here, bytes in all


class _FailedError(Exception):
    """An address does not give the data set; the message says why in a few words."""


class _SlowError(_FailedError):
    """The address works, but another may be faster."""


class _CutError(_FailedError):
    """Worth another attempt; if `unreachable`, only where others succeeded before."""

    def __init__(self, reason: str, unreachable: bool = False):
        super().__init__(reason)
        self.unreachable = unreachable


def addresses() -> list[str]:
    """Where to ask: `$CIFAR100_MIRROR` where it is set, the official one, a mirror."""
    own = os.environ.get("CIFAR100_MIRROR", "")
    if not own:
        return [OFFICIAL, MIRROR]
    try:
        is_address = urlsplit(own).scheme in ("http", "https")
    except ValueError:  # such as an open bracket
        is_address = False
    if not is_address:
        raise UserError(f"CIFAR100_MIRROR is '{own}'; it has to be an http(s) address")
    own = own if own.endswith("gz") else f"{own.rstrip('/')}/{ARCHIVE}"
    return [own, OFFICIAL, MIRROR]


def fetch(
    folder: Path,
    verify: Callable[[Path], None],
    *,
    urls: list[str] | None = None,
    progress: bool = True,
) -> Path:
    """Download to `folder`/cifar-100-python, which must not exist; returns that path.

    `verify` gets the unpacked files and raises UserError when their content is wrong;
    then they are removed, and the next of `urls` (else of `addresses()`) is tried. What
    a broken download brought stays, and the next call continues it. Raises DataMissing,
    one line with each address's reason, when none gives the data set.
    """
    waiting = [(url, False) for url in (urls or addresses())]
    failed = []
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"another `cifar100 data` is downloading into {folder}; wait for it"
    lock = locked(folder / ".download.lock", busy=UserError(busy))
    with lock, _bar(progress) as report:
        while waiting:
            url, patient = waiting.pop(0)
            try:
                return _place(url, folder, verify, _Resumable(folder, report, patient))
            except _SlowError:
                waiting.append((url, True))
            except _FailedError as error:
                failed.append(f"{urlsplit(url).hostname}: {error}")
    raise DataMissing(
        f"CIFAR-100 could not be downloaded ({'; '.join(failed)}); run `cifar100 data` "
        f"again to continue, or set CIFAR100_SOURCE to a copy of {ARCHIVE}"
    )


def _place(
    url: str, folder: Path, verify: Callable[[Path], None], downloader: "_Resumable"
) -> Path:
    def unpack_verified(archive: str, action: str, _pooch) -> Path:
        try:
            unpacked = unpack(Path(archive), scratch)
            verify(unpacked)
            os.replace(unpacked, folder / FOLDER)
        except UserError as error:
            downloader.drop(url)
            # What is wrong with it, without paths that are gone and advice on them.
            reason = str(error).partition(";")[0].replace(archive, ARCHIVE)
            raise _FailedError(reason.replace(f"{scratch}{os.sep}", "")) from None
        for part in folder.glob(f".{ARCHIVE}.*.part"):  # of other addresses too
            part.unlink(missing_ok=True)
        return folder / FOLDER

    pooch.get_logger().setLevel("ERROR")  # it would print what the bar shows
    with scratch_folder(folder, ".unpack-") as scratch:
        return pooch.retrieve(
            url,
            known_hash=None,  # `verify` checks pixels and labels, whatever wraps them
            fname=ARCHIVE,
            path=scratch,
            downloader=downloader,
            processor=unpack_verified,
        )


class _Resumable:
    """A downloader for pooch that continues what an earlier attempt or call left."""

    def __init__(self, folder: Path, report: Report, patient: bool):
        self.folder, self.report, self.patient = folder, report, patient

    def __call__(self, url: str, output_file: str, pooch, check_only: bool = False):
        part = self.part(url)
        idle, gained = 0, False
        while True:
            before = _size(part)
            try:
                self.receive(url, part, before)
                break
            except _CutError as error:
                gained = gained or _size(part) > before
                idle = 0 if _size(part) > before else idle + 1
                if idle >= RETRIES or (error.unreachable and not gained):
                    raise
                time.sleep(WAIT * 2**idle)
        # A second name, so that a kill while it is unpacked does not lose it.
        Path(output_file).unlink(missing_ok=True)
        try:
            os.link(part, output_file)
        except OSError:  # a file system without second names
            os.replace(part, output_file)

    def part(self, url: str) -> Path:
        """Where what `url` has sent so far stands."""
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        return self.folder / f".{ARCHIVE}.{digest}.part"

    def drop(self, url: str) -> None:
        """Forget what `url` has sent: it has been unpacked, or is of no use."""
        self.part(url).unlink(missing_ok=True)

    def receive(self, url: str, part: Path, have: int) -> None:
        """One request for what is missing after `have` bytes, written to `part`."""
        headers = {
            "Accept-Encoding": "identity"
        }  # a .tar.gz is not to be unzipped here
        if have:
            headers["Range"] = f"bytes={have}-"
        with (
            _plain_errors(),
            requests.get(
                url, headers=headers, stream=True, timeout=TIMEOUT
            ) as response,
        ):
            _check_tls(url, response)
            start, total = _extent(response, have)
            if start is None:
                part.unlink(missing_ok=True)
                raise _CutError("the file there has changed")
            if start and start == total:
                return  # it was all here
            with open(part, "ab" if start else "wb") as file:
                self.copy(response, file, start, total)

    def copy(
        self, response: requests.Response, file: BinaryIO, size: int, total: int | None
    ) -> None:
        host = urlsplit(response.url).hostname
        begun, received = time.monotonic(), 0
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            file.write(chunk)
            received += len(chunk)
            self.report(host, size + received, total)
            if size + received > LARGEST:
                Path(file.name).unlink(missing_ok=True)
                raise _FailedError("it sends far more than the data set")
            seconds = time.monotonic() - begun
            if not self.patient and seconds > PATIENCE and received < SLOW * seconds:
                raise _SlowError("slow")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_tls(url: str, response: requests.Response) -> None:
    hops = [urlsplit(each.url).scheme for each in (*response.history, response)]
    if url.startswith("https:") and set(hops) != {"https"}:
        raise _FailedError("it leads to an address without TLS")


def _extent(response: requests.Response, have: int) -> tuple[int | None, int | None]:
    """First byte of the answer (None if not the one asked for) and the whole size."""
    status = response.status_code
    if status in (408, 429) or status >= 500:
        raise _CutError(f"{status} {response.reason}")
    if status not in (200, 206, 416):
        raise _FailedError(f"{status} {response.reason}")
    if status == 200:
        length = response.headers.get("Content-Length")
        return 0, int(length) if length else None
    extent = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", extent)
    total = int(match[2]) if match and match[2] != "*" else None
    start = int(match[1]) if match and match[1] else total
    return (start if start == have else None), total


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Say in a few words what `requests` says in a paragraph."""
    try:
        yield
    except requests.exceptions.SSLError:
        raise _FailedError("its TLS certificate is not accepted") from None
    except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        raise _CutError(f"silent for {TIMEOUT[1]} s") from None
    except requests.exceptions.ConnectionError:
        raise _CutError("no connection", unreachable=True) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
        raise _CutError("the connection was cut") from None


@contextlib.contextmanager
def _bar(visible: bool) -> Iterator[Report]:
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    bar = bars.Progress(*columns, console=Console(stderr=True), disable=not visible)
    task = bar.add_task("CIFAR-100", total=None)

    def report(host: str, size: int, total: int | None) -> None:
        bar.start()  # not before something arrives
        bar.update(task, description=host, completed=size, total=total)

    try:
        yield report
    finally:
        bar.stop()
