"""Reports built once, and Chromium to look at them, with all but files refused."""

import os
import shutil
from pathlib import Path

import pytest
from made_once import made_once

from cifar100 import paths
from cifar100.report.build import Options, build

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
CHROMIUM = CHROMIUM or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """The folder of a report: the notebooks of the tests, the records of the course."""
    notebooks = Path(__file__).parents[1] / "notebooks_for_tests"

    def make(home):
        (home / "records").symlink_to(paths.package_root() / "records")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR100_HOME", str(home))
            build(Options(notebooks=notebooks), print)

    return made_once(tmp_path_factory, "examples", make) / "report"


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium; tests are skipped by name where there is none."""
    if not CHROMIUM:
        pytest.skip("needs Chromium (chromium on the PATH, or its path in $CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit_in(chromium):
    """A function that opens a page: folder of the report, name, width, colour scheme.

    What the browser complains of, and each request that is not for a file of the
    report or a `data:` address, fails the test when it ends.
    """
    complaints, contexts = [], []

    def visit(folder, name, width=1440, scheme="light"):
        def refuse_foreign(route):
            address = route.request.url
            if address.startswith((folder.as_uri(), "data:")):
                route.continue_()
            else:
                complaints.append(f"request for {address}")
                route.abort()

        def failed(request):
            if request.failure != "net::ERR_ABORTED":  # leaving a page ends its loading
                complaints.append(f"{request.failure}: {request.url}")

        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        context.route("**/*", refuse_foreign)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", failed)
        page.goto((folder / f"{name}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def visit(visit_in, report):
    """`visit_in` for the report of the tests' own notebooks."""
    return lambda name, *arguments, **options: visit_in(
        report, name, *arguments, **options
    )
