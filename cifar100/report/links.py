"""Whether a report's pages hold together: addresses that lead somewhere, single ids."""

from collections import Counter
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Links(HTMLParser):
    """Ids and addresses of one page, and how many `h1` it has."""

    def __init__(self, html: str):
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.titles = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.titles += tag == "h1"
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            elif name in ("href", "src") and value:
                self.addresses.append(value)

    def has(self, fragment: str) -> bool:
        """Whether a fragment leads to an id, or to a view of the explorer."""
        return fragment in self.ids or ("=" in fragment and "explorer" in self.ids)

    def repeated(self) -> Iterable[str]:
        """Ids that stand more than once."""
        return sorted(name for name, count in Counter(self.ids).items() if count > 1)


def dead_links(folder: Path) -> list[str]:
    """Everything in the pages of `folder` that points nowhere; doubled ids as well."""
    pages = {
        path.name: _Links(path.read_text(encoding="utf-8"))
        for path in folder.glob("*.html")
    }
    problems = []
    for name, page in sorted(pages.items()):
        if page.titles != 1:
            problems.append(f"{name}: {page.titles} headings of level 1, not one")
        problems += [f"{name}: two elements with the id {i}" for i in page.repeated()]
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme:
                continue
            target = unquote(parts.path) or name
            known = pages.get(target)
            if known is None and not (folder / target).is_file():
                problems.append(f"{name}: nothing at {address}")
            elif known and parts.fragment and not known.has(parts.fragment):
                problems.append(f"{name}: no section {address}")
    return problems
