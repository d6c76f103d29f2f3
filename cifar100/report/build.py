"""Build the report: what changed is executed, all pages written, then swapped in."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cifar100 import paths
from cifar100.errors import UserError, WorkError
from cifar100.files import locked
from cifar100.report import folder, sources
from cifar100.report.runner import Executed, Limits, Runner
from cifar100.report.sources import Source
from cifar100.training.profiles import check_profile


@dataclass(frozen=True)
class Options:
    """What to build; the defaults are what `make report` asks for."""

    profile: str = "read"
    only: Sequence[str] = ()
    jobs: int = 2
    strict: bool = False
    pdf: bool = False
    output: Path = field(default_factory=lambda: paths.root() / "report")
    notebooks: Path = field(default_factory=lambda: paths.package_root() / "notebooks")
    cache: Path = field(default_factory=lambda: paths.cache() / "report")
    limits: Limits | None = None  # those of the profile


def build(options: Options, say: Callable[[str], None] = print) -> Path:
    """Bring the report up to date and return its `index.html`.

    Raises UserError for wrong input, before anything is written, and WorkError when a
    notebook or page fails; the report that was there stays as it was.
    """
    check_profile(options.profile)
    if options.jobs < 1:
        raise UserError(f"--jobs {options.jobs}: at least 1")
    output = options.output.resolve()
    found = sources.find_notebooks(options.notebooks)
    selected = sources.select(found, options.only)
    folder.check_output(output)
    if options.pdf:
        from cifar100.report.printing import find_chromium

        find_chromium()  # before any work
    busy = WorkError("another build is under way; wait for it to end")
    with locked(options.cache / "lock", busy=busy):
        return _build(options, output, found, selected, say)


def _build(
    options: Options,
    output: Path,
    found: list[Source],
    selected: list[Source],
    say: Callable[[str], None],
) -> Path:
    keys = sources.execution_keys(found, options.profile)
    runner = Runner(
        options.cache,
        options.profile,
        jobs=options.jobs,
        limits=options.limits,
        say=say,
    )
    recalled = {s.name: runner.recall(s, keys[s.name]) for s in found}
    pending = [s for s in selected if recalled[s.name] is None]
    included = [s for s in found if s in selected or recalled[s.name]]
    commit = sources.commit_of(paths.package_root())
    inside = {s.name: keys[s.name] for s in included}
    key = sources.report_key(inside, options.profile, commit, options.pdf)
    manifest = folder.read_manifest(output)
    if manifest and manifest.get("key") == key and folder.is_whole(output, manifest):
        folder.sweep(output)
        _check_warnings(manifest["warnings"], options.strict, say)
        say("nothing has changed")
        return output / "index.html"
    with folder.new_report(output) as building:
        if pending:
            say(f"executing {len(pending)} of {len(found)} notebooks")
            runner.execute(pending, keys)
        executed = [runner.recall(s, keys[s.name]) for s in included]
        missing = [s.name for s in found if s not in included]
        with folder.written_to(output):
            _write(building, executed, missing, key, commit, options, say)
    return output / "index.html"


def _write(
    building: Path,
    executed: Sequence[Executed],
    missing: list[str],
    key: str,
    commit: str,
    options: Options,
    say: Callable[[str], None],
) -> None:
    """Write pages and manifest into `building`."""
    from cifar100.records import list_records  # pandas, too
    from cifar100.report import measured
    from cifar100.report.pages import write_page  # nbconvert: a second to import
    from cifar100.report.site import Provenance, write_site

    names = {e.source.name for e in executed}
    pages = [write_page(e, names) for e in executed]
    warnings = [warning for page in pages for warning in page.warnings]
    found = list_records()
    now = datetime.datetime.now(datetime.UTC)
    provenance = Provenance(
        commit=commit,
        code=sources.code_address(),
        profile=options.profile,
        built=f"{now:%Y-%m-%d %H:%M} UTC",
        runs=len(found),
        devices=measured.devices(found),
        versions=executed[0].status["versions"],
        missing=missing,
        pdf=options.pdf,
    )
    write_site(building, pages, found, provenance)
    _check_warnings(warnings, options.strict, say)
    folder.write_manifest(
        building,
        schema=1,
        key=key,
        profile=options.profile,
        commit=commit,
        built=provenance.built,
        pages=[page.summary.name for page in pages],
        missing=missing,
        warnings=warnings,
    )
    part = f"; not in it: {', '.join(missing)}" if missing else ""
    say(f"wrote {len(pages)} page{'s' * (len(pages) > 1)}{part}")


def _check_warnings(
    warnings: Sequence[str], strict: bool, say: Callable[[str], None]
) -> None:
    if strict and warnings:
        raise WorkError("\n".join(warnings))
    for warning in warnings:
        say(f"warning: {warning}")
