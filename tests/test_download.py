"""Downloads against a real server on this machine: whole, cut, wrong, absent."""

import functools
import http.server
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cifar100 import download, official
from cifar100.download import addresses, fetch
from cifar100.errors import DataMissing, UserError
from cifar100.official import FOLDER
from tests.mishaps import Handler, Server

NAME = f"{FOLDER}.tar.gz"


@pytest.fixture
def server(fake_archive, monkeypatch):
    monkeypatch.setattr(download, "WAIT", 0.01)
    with Server() as running:
        running.files["/" + NAME] = fake_archive.read_bytes()
        running.start()
        yield running
        running.shutdown()


@pytest.fixture
def verify(fake):
    return functools.partial(official.verify, checksums=fake.checksums)


@pytest.fixture
def get(server, verify, tmp_path):
    """Fetch from paths on the server, or full addresses, into an empty folder."""

    def call(*urls):
        urls = [url if ":" in url else server.url + url for url in urls]
        return fetch(tmp_path / "data", verify, urls=urls, progress=False)

    return call


@pytest.fixture
def unused_address():
    """An address on this machine where nothing listens."""
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    return f"http://127.0.0.1:{port}/{NAME}"


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "lock" not in path.name)


def failure(call, *arguments) -> str:
    with pytest.raises(DataMissing) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_complete_download_is_placed_and_nothing_else_stays(get, fake, tmp_path):
    folder = get(NAME)
    assert folder == tmp_path / "data" / FOLDER
    for name in ("train", "test", "meta"):
        assert (folder / name).read_bytes() == (fake.folder / name).read_bytes()
    assert leftovers(tmp_path / "data") == [FOLDER]


def test_cut_connection_is_continued_where_it_stopped(get, server, fake):
    server.cuts = [100_000, 20_000]
    folder = get(NAME)
    starts = [
        int((wanted or "=0-")[:-1].split("=")[1]) for _, wanted in server.requests
    ]
    assert len(starts) == 3
    assert 0 == starts[0] < starts[1] < starts[2]
    assert starts[1] >= 100_000 - download.CHUNK
    assert (folder / "train").read_bytes() == (fake.folder / "train").read_bytes()


def test_next_call_continues_what_the_last_one_left(get, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 1)
    server.cuts = [100_000, 0]
    assert "cut" in failure(get, NAME)
    (part,) = leftovers(tmp_path / "data")
    assert part.endswith(".part")
    size = (tmp_path / "data" / part).stat().st_size
    server.requests.clear()
    get(NAME)
    assert server.requests == [(f"/{NAME}", f"bytes={size}-")]
    assert leftovers(tmp_path / "data") == [FOLDER]


def test_a_call_that_is_stopped_while_it_unpacks_loses_no_byte(
    get, server, tmp_path, monkeypatch
):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download, "unpack", stopped)
        with pytest.raises(KeyboardInterrupt):
            get(NAME)
    (part,) = leftovers(tmp_path / "data")
    size = (tmp_path / "data" / part).stat().st_size
    server.requests.clear()
    get(NAME)
    assert server.requests == [(f"/{NAME}", f"bytes={size}-")]
    assert leftovers(tmp_path / "data") == [FOLDER]


def test_server_without_ranges_is_asked_for_everything_again(get, server):
    server.ranges = False
    server.cuts = [100_000]
    assert get(NAME).is_dir()
    assert len(server.requests) == 2


def test_part_that_is_already_whole_is_used(get, server, tmp_path, monkeypatch):
    replace = os.replace
    with monkeypatch.context() as broken:
        # as if the process had been killed between the last byte and the rename
        broken.setattr(download.os, "replace", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            get(NAME)
    assert os.replace is replace
    assert get(NAME).is_dir()
    assert server.requests[-1][1] == f"bytes={len(server.files['/' + NAME])}-"


def test_part_of_a_file_that_got_shorter_is_dropped(get, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 1)
    whole = server.files[f"/{NAME}"]
    server.files[f"/{NAME}"] = bytes(len(whole) + 50_000)
    server.cuts = [len(whole) + 40_000, 0]
    failure(get, NAME)
    server.files[f"/{NAME}"] = whole
    monkeypatch.setattr(download, "RETRIES", 4)
    assert get(NAME).is_dir()


def test_busy_server_is_asked_again(get, server):
    server.failures = [503, 429, 500]
    assert get(NAME).is_dir()
    assert len(server.requests) == 4


def test_missing_file_leads_to_the_next_address_at_once(get, server):
    assert get("gone.tar.gz", NAME).is_dir()
    assert [path for path, _ in server.requests] == ["/gone.tar.gz", f"/{NAME}"]


def test_wrong_content_is_refused_and_removed(get, server, fake, tmp_path):
    wrong = bytearray((fake.folder / "train").read_bytes())
    wrong[60_000] ^= 1  # one pixel
    (fake.folder / "train").write_bytes(wrong)
    stem = str(tmp_path / "wrong")
    made = shutil.make_archive(stem, "gztar", fake.folder.parent, FOLDER)
    server.files["/wrong.tar.gz"] = Path(made).read_bytes()
    line = failure(get, "wrong.tar.gz")
    assert re.search(
        r"train is altered: sha256 of the pixels is \w+…, expected \w+…", line
    )
    assert ".unpack" not in line
    assert leftovers(tmp_path / "data") == []
    assert get("wrong.tar.gz", NAME).is_dir()


def test_page_instead_of_an_archive_is_refused(get, server, tmp_path):
    server.files["/page"] = b"<html>Log in to the network</html>"
    line = failure(get, "page")
    assert "not a whole archive" in line
    assert leftovers(tmp_path / "data") == []


def test_all_addresses_failing_gives_one_line_that_says_what_to_do(get, unused_address):
    line = failure(get, "gone.tar.gz", unused_address)
    assert "404 Not Found" in line
    assert "no connection" in line
    assert "cifar100 data" in line
    assert "CIFAR100_SOURCE" in line


def test_no_network_fails_within_a_second(get, unused_address, monkeypatch):
    monkeypatch.setattr(download, "WAIT", 1)
    begun = time.monotonic()
    failure(get, unused_address, unused_address)
    assert time.monotonic() - begun < 1


def test_silent_server_is_given_up(get, server, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (1, 0.2))
    monkeypatch.setattr(download, "RETRIES", 1)
    server.pause = 0.6
    assert "silent for 0.2 s" in failure(get, NAME)


def test_slow_address_waits_until_the_others_were_tried(get, server, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.2)
    monkeypatch.setattr(download, "SLOW", 10**9)
    server.pause = 0.03
    assert get(NAME, "gone.tar.gz").is_dir()
    assert [path for path, _ in server.requests] == [
        f"/{NAME}",
        "/gone.tar.gz",
        f"/{NAME}",
    ]
    assert server.requests[-1][1] is not None, "the slow one starts again at zero"


def test_endless_answer_is_stopped(get, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", 50_000)
    assert "far more than the data set" in failure(get, NAME)


def test_two_downloads_at_once_are_told_apart(get, server, verify, tmp_path):
    server.pause = 0.02
    thread = threading.Thread(target=get, args=[NAME])
    thread.start()
    while not server.requests:
        time.sleep(0.01)
    with pytest.raises(UserError, match="another `cifar100 data`"):
        get(NAME)
    thread.join()
    assert (tmp_path / "data" / FOLDER / "train").is_file()


def test_progress_is_shown_on_stderr(server, verify, tmp_path, capsys):
    fetch(tmp_path / "data", verify, urls=[server.url + NAME])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "127.0.0.1" in shown.err


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command for a certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    subject = "subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [*command.split(), "-addext", subject, "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
def tls_url(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server.url.replace("http:", "https:") + NAME


def test_certificate_that_nobody_vouches_for_is_refused(get, server, tls_url):
    assert "TLS certificate is not accepted" in failure(get, tls_url)
    assert server.requests == []


def test_https_address_may_not_lead_to_http(
    get, server, tls_url, certificate, fake_archive, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    assert get(tls_url).is_dir(), "with a certificate that is accepted, it works"
    with Server() as plain:
        plain.files[f"/{NAME}"] = fake_archive.read_bytes()
        plain.start()
        server.redirect = plain.url + NAME
        assert "without TLS" in failure(get, tls_url)
        plain.shutdown()


def test_official_address_comes_before_the_mirror(home):
    assert addresses() == [download.OFFICIAL, download.MIRROR]
    assert all(url.startswith("https://") for url in addresses())


@pytest.mark.parametrize("own", ["http://host/folder", f"http://host/folder/{NAME}"])
def test_mirror_of_ones_own_comes_first(home, monkeypatch, own):
    monkeypatch.setenv("CIFAR100_MIRROR", own)
    assert addresses()[0] == f"http://host/folder/{NAME}"
    assert addresses()[1:] == [download.OFFICIAL, download.MIRROR]


@pytest.mark.parametrize("own", ["/some/folder", "http://[::1"])
def test_mirror_that_is_no_address_is_refused(home, monkeypatch, own):
    monkeypatch.setenv("CIFAR100_MIRROR", own)
    with pytest.raises(UserError, match="has to be an http"):
        addresses()
