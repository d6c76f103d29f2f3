"""Style and script of the pages, and the policy that allows just these."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from cifar100.report.sources import TEMPLATES

FOLDER = TEMPLATES / "assets"
STYLES = ("base", "frame", "prose", "figures", "tables", "front", "print")
SCRIPTS = (
    *("storage", "theme", "code", "figures", "tables", "search", "contents"),
    *("printing", "start"),
)


@dataclass(frozen=True)
class Assets:
    """Style and script, put into each page, with the policy that allows just these.

    Inline, because a page opened from `file://` is refused most of what stands beside
    it, and by hash, so that nothing that a notebook printed can run. What our own
    script adds (the search, when it is first opened) is trusted with it.
    """

    style: Markup
    script: Markup
    policy: str


@cache
def assets(*more: str) -> Assets:
    """The assets as they are on disk, with `more` files for a page that needs them."""
    style = "\n".join(
        (FOLDER / "css" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES
    )
    parts = "\n".join(
        (FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS
    )
    script = f'(() => {{\n"use strict";\n{parts}}})();'
    for file in (FOLDER / name for name in more):
        if file.suffix == ".css":
            style += "\n" + file.read_text(encoding="utf-8")
        else:
            script += "\n" + file.read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src 'self' data:; font-src 'self'; "
        f"style-src {_source(style)}; script-src {_source(script)} 'strict-dynamic'"
    )
    return Assets(Markup(style), Markup(script), policy)  # noqa: S704 (our own files)


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
