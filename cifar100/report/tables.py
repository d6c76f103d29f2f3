"""Tables of notebooks made fit for a page: heads, alignment, folding, a box."""

import re

from bs4 import BeautifulSoup, Tag

FOLDS_FROM = 4  # columns: fewer fit on a phone as they are
NUMBER = re.compile(r"[+−-]?\d[\d,.]*(e[+-]?\d+)?\s?(%|pp|s|ms|min|h)?|nan|–|—", re.I)


def dress_table(soup: BeautifulSoup, table: Tag, number: int) -> None:
    """Dress the `number`-th table of a page and let it scroll in a box with a name."""
    head = table.find("thead")
    rows = head.find_all("tr") if head else []
    if len(rows) == 2:
        _merge_headers(*rows)
    _drop_count(table)
    _mark_headers(table)
    if not table.find(colspan=True) and not table.find(rowspan=True):
        _align_numbers(table)
        _label_cells(table)
    caption = table.find("caption")
    name = caption.get_text(strip=True) if caption else f"Table {number}"
    box = soup.new_tag("div", attrs={"class": "table", "role": "group"})
    box["aria-label"], box["tabindex"] = name, "0"
    table.wrap(box)


def _merge_headers(names: Tag, index: Tag) -> None:
    """Put the names of the index beside those of the columns, not in a row below.

    pandas writes two header rows where the index has a name; where no column is named
    in both, one row says the same.
    """
    pairs = list(zip(_cells(names), _cells(index), strict=False))
    is_plain = len(_cells(names)) == len(_cells(index))
    if is_plain and not any(_text(a) and _text(b) for a, b in pairs):
        for above, below in pairs:
            if _text(below):
                above.string = _text(below)
        index.decompose()


def _drop_count(table: Tag) -> None:
    """Take out a first column without a name that only counts its rows, as pandas
    writes where nothing is the index. The next one names them, if it tells them apart.
    """
    rows = [_cells(row) for row in table.find_all("tr")]
    body = [_cells(row) for row in table.select("tbody tr")]
    counted = [str(number) for number in range(len(body))]
    if not body or table.find(colspan=True) or table.find(rowspan=True):
        return
    if _text(rows[0][0]) or [_text(cells[0]) for cells in body] != counted:
        return
    for cells in rows:
        cells[0].decompose()
    names = [_text(cells[1]) for cells in body if len(cells) > 1]
    if len(set(names)) == len(body) and not any(map(NUMBER.fullmatch, names)):
        for cells in body:
            cells[1].name = "th"


def _mark_headers(table: Tag) -> None:
    for cell in table.find_all("th"):
        if not _text(cell):
            cell.name = "td"  # an empty header cell announces nothing
        elif "scope" not in cell.attrs:
            cell["scope"] = "col" if cell.find_parent("thead") else "row"


def _align_numbers(table: Tag) -> None:
    """Mark the columns whose cells are all numbers: they stand at the right."""
    rows = [_cells(row) for row in table.find_all("tr")]
    body = [_cells(row) for row in table.select("tbody tr")]
    for column in range(max(map(len, rows), default=0)):
        texts = [_text(row[column]) for row in body if column < len(row)]
        if texts and all(NUMBER.fullmatch(text) for text in texts if text):
            for row in rows:
                if column < len(row):
                    row[column]["class"] = [*row[column].get("class", []), "numeric"]


def _label_cells(table: Tag) -> None:
    """Give each cell the name of its column: on a phone, rows become blocks."""
    head = table.select("thead tr")
    names = [_text(cell) for cell in _cells(head[0])] if len(head) == 1 else []
    if len(names) < FOLDS_FROM:
        return
    table["class"] = [*table.get("class", []), "folds"]
    for row in table.select("tbody tr"):
        for name, cell in zip(names, _cells(row), strict=False):
            if name:
                cell["data-label"] = name


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(["th", "td"], recursive=False)


def _text(cell: Tag) -> str:
    return cell.get_text(strip=True)
