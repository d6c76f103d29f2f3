"""How the numbers were made: the page about runs, machines, rules of evidence."""

import re
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from cifar100 import data
from cifar100.experiments import EXPERIMENTS
from cifar100.records import Record
from cifar100.report.prose import Page, markdown_to_html
from cifar100.report.sources import CONTENT, EVIDENCE


def measured_page(found: Sequence[Record], page: Page) -> Markup:
    """The body of the page; problems of its text are noted in `page`."""
    environment = jinja2.Environment(  # noqa: S701 (Markdown, sanitised as HTML)
        loader=jinja2.FileSystemLoader(CONTENT), undefined=jinja2.StrictUndefined
    )
    commits = {record.data["commit"] for record in found}
    on_laptop = [r for r in found if not EXPERIMENTS[r.experiment].gpu]
    text = environment.get_template("measured.md.j2").render(
        runs=len(on_laptop),
        gpu_runs=len(found) - len(on_laptop),
        planned=sum(e.seeds for e in EXPERIMENTS.values() if not e.gpu),
        split=data.SPLIT_SHA256,
        machines=machines(found),
        exclusive=sum(record.data["exclusive"] for record in found),
        commits=len(commits),
        dirty=len({r.data["commit"] for r in found if not r.data["clean"]}),
        evidence=demoted(EVIDENCE.read_text(encoding="utf-8")),
    )
    return Markup(markdown_to_html(text, page))  # noqa: S704 (sanitised)


def machines(found: Sequence[Record]) -> list[dict[str, str]]:
    """One row for each device, engine and number of threads, most runs first."""
    groups: dict[tuple, list[Record]] = {}
    for record in found:
        groups.setdefault(_machine(record), []).append(record)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [
        {
            "device": device,
            "engine": engine,
            "threads": threads,
            "runs": str(len(own)),
            "hours": f"{sum(r.data['seconds']['train'] for r in own) / 3600:.1f}",
        }
        for (device, engine, threads), own in ordered
    ]


def _machine(record: Record) -> tuple[str, str, str]:
    content = record.data
    device, versions = content["device"], content["versions"]
    name = f"{device['name']} ({device['kind'].upper()})"
    engine = content["engine"]
    name_of_engine = {"tensorflow": "TensorFlow", "jax": "JAX"}.get(engine, engine)
    of_engine = f"{name_of_engine} {versions.get(engine, '')}".rstrip()
    words = f"{of_engine}, Keras {versions['keras']}"
    return name, words, str(content["threads"]["intra"])


def devices(found: Sequence[Record]) -> str:
    """The names of all devices in one line."""
    return ", ".join(sorted({record.data["device"]["name"] for record in found}))


def demoted(markdown: str) -> str:
    """A document as a section of a page: every heading one level lower."""
    return re.sub(r"^(#+ )", r"#\1", markdown, flags=re.MULTILINE)
