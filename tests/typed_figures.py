"""Finds accuracies that were typed into prose instead of computed or cited.

A figure is a percentage, a difference in pp, or a number like 0.46 or 0.3x. A block of
Markdown (a paragraph, a list, a table) that types one carries a mark, which no reader
sees: `<!-- cited: SOURCE -->`, where SOURCE also stands in the visible text of the cell
or section, or `<!-- not a result -->` for settings, thresholds and made-up examples.
What a code cell says (a caption, an alt text) is prose too. There the mark is a
comment, `# cited: SOURCE` or `# not a result`, on a line of its own.
"""

import ast
import json
import re

from cifar100.experiments import STORY
from cifar100.experiments.story import TARGET_OWN_NETWORK, TARGET_TRANSFER
from cifar100.report.prose import CODE

FIGURE = re.compile(
    r"(?<![\w.-])[+−±-]?\d+(?:[.,]\d+)*\s?(?:%p?|pp\b|per ?cent|퍼센트)"
    r"|(?<![\w.,-])[+−±-]?0\.\d+x?(?!\d|\.\d)"
)
NEVER_A_RESULT = re.compile(r"\b9[05] ?% (?:confidence )?intervals?|9[05]% 신뢰구간")
MARK = re.compile(r"<!-- (?:cited: (?P<source>[^>]+)|not a result) -->")
NUMBER = re.compile(r"`[^a-wyz]+`")
STUDENT = ("the student", "학생")
QUOTED = {
    *(f for s in STORY for f in re.findall(r"0\.\w+", s.student or "")),
    *(f"{end:.2f}" for s in STORY for span in s.figures for end in span),
    *(f"{target:.2f}" for target in (TARGET_OWN_NETWORK, TARGET_TRANSFER)),
}


def cells_of(path, generated=()):
    """(place, text) of each cell of a notebook, or of each section of a Markdown file,
    without the blocks of it that are `generated`."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        for number, cell in enumerate(json.loads(text)["cells"], start=1):
            source = "".join(cell["source"])
            prose = said_by(source) if cell["cell_type"] == "code" else source
            yield f"{path.name}, cell {number}", prose
        return
    for name in generated:
        text = re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", "", text, flags=re.DOTALL)
    for section in re.split(r"^(?=#+ )", text, flags=re.MULTILINE):
        yield f"{path.name}, “{section.partition(chr(10))[0]}”", section


def said_by(code):
    """The strings of a code cell as one block of Markdown, with its marks."""
    parts = [n.value for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Constant)]
    strings = " | ".join(part for part in parts if isinstance(part, str))
    marks = re.findall(r"^# (cited: .+|not a result)$", code, re.MULTILINE)
    return " ".join([*strings.split(), *(f"<!-- {mark} -->" for mark in marks)])


def problems(text):
    """What is wrong with the figures of one cell or section, a line each."""
    found = []
    visible = plain(text)
    for block in re.split(r"\n(?:[>\s]*\n)+", text):
        found += problems_of_block(block, visible)
    return found


def problems_of_block(block, visible):
    """As `problems`, of a block; `visible` is the text that surrounds it."""
    marks = list(MARK.finditer(CODE.sub("", block)))
    figures = [f.strip() for f in FIGURE.findall(NEVER_A_RESULT.sub("", plain(block)))]
    if not marks:
        return [f"{f} is typed: compute it, or mark its source" for f in figures]
    if not figures:
        return [f"{marks[0].group()} stands where no figure is"]
    found = []
    for source in filter(None, (mark["source"] for mark in marks)):
        if source.casefold() not in visible.casefold():
            found.append(f"the source “{source}” is not in the text around its figure")
        if source in STUDENT:
            others = [figure for figure in figures if figure not in QUOTED]
            found += [f"{figure} is no figure of the student's" for figure in others]
    return found


def plain(text):
    """What a reader sees, in one line: no comments, addresses, emphasis or code; but a
    number does not become code by standing in backticks."""
    text = CODE.sub(lambda code: code[0] if NUMBER.fullmatch(code[0]) else "", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return " ".join(re.sub(r"[*_`]|^[> ]+", "", text, flags=re.MULTILINE).split())
