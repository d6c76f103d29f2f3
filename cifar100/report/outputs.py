"""Makes an executed notebook ready for the template: every cell and every output.

A preprocessor of nbconvert. It turns outputs into what the page shows of them, writes
pictures to files, and notes what is wrong: a picture without caption or alt text, a
formula, something on stderr.
"""

import ast
import base64
import re
import struct

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from cifar100.report.figures import in_themes
from cifar100.report.prose import Page, coloured, html_to_page, inline, markdown_to_html
from cifar100.report.sanitise import is_hostile_svg

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
FIGURE_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FOLDED = {"hide-input", "parameters"}  # plumbing: its code starts folded
# So does code that only says or draws what was computed before: the page is shorter
# for a reader, and what teaches stands out.
REPORTING = {"course.show": "Code of this figure", "Markdown": "Code of this text"}
INCH = 96  # CSS pixels
SCALE = 1.13  # 7.2 inches, the width of the course's figures, fill the page's column
DARK = "-dark"  # ends the name of a figure's file for the dark theme


def reporting(source: str) -> str | None:
    """The label of code that ends by showing a figure or a text, and defines nothing;
    None for other code, which stays open."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic of IPython
        return None
    *_, last = statements or [None]
    if not isinstance(getattr(last, "value", None), ast.Call):
        return None
    if any(isinstance(each, ast.FunctionDef | ast.ClassDef) for each in statements):
        return None
    return REPORTING.get(ast.unparse(last.value.func))


class Ready(Preprocessor):
    """Adds `page` to the metadata of cells (number, html, folding) and outputs."""

    def __init__(self, page: Page):
        super().__init__(enabled=True)
        self.page = page

    def preprocess(self, nb: NotebookNode, resources: dict):
        """Prepare all cells; papermill's injected cell repeats the parameters: out."""
        nb.cells = [c for c in nb.cells if "injected-parameters" not in tags(c)]
        for cell in nb.cells:
            self._reserve_names(cell)
        for number, cell in enumerate(nb.cells, start=1):
            self.page.cell = number
            cell.metadata["page"] = {"number": number}
            if cell.cell_type == "markdown":
                embed_attachments(cell)
                cell.metadata.page["html"] = markdown_to_html(cell.source, self.page)
            elif cell.cell_type == "code":
                label = "Code" if FOLDED & tags(cell) else reporting(cell.source)
                cell.metadata.page["folded"] = bool(label)
                cell.metadata.page["label"] = label or "Code"
                cell.metadata.page["html"] = coloured(cell.source)
                cell.outputs = joined(cell.outputs)
                for output in cell.outputs:
                    self._prepare(output)
        mark_solutions(nb.cells)
        return nb, resources

    def _reserve_names(self, cell: NotebookNode) -> None:
        """Figures keep their names as ids; headings have to step aside."""
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("cifar100", {}).get("name"):
                self.page.ids.add(name)

    def _prepare(self, output: NotebookNode) -> None:
        """Set `output.metadata.page`: a figure's values, or `{"html": …}`."""
        if output.output_type == "stream":
            output["metadata"] = {"page": {"text": plain(output.text)}}
            if output.name == "stderr":
                self.page.warning(f"stderr: {plain(output.text).strip()[-200:]}")
            return
        output.setdefault("metadata", {})
        data = output.get("data", {})
        shown = output.metadata.get("cifar100")
        picture = next((kind for kind in PICTURES if kind in data), None)
        if picture and (shown or "text/html" not in data):
            figure = self._figure(data, picture, shown or {})
            output.metadata["page"] = {"figure": figure}
        elif "text/html" in data:
            html = html_to_page("".join(data["text/html"]), self.page)
            output.metadata["page"] = {"html": html}
        elif "text/markdown" in data:
            html = markdown_to_html("".join(data["text/markdown"]), self.page)
            output.metadata["page"] = {"html": html}
        else:
            text = plain("".join(data.get("text/plain", "")))
            output.metadata["page"] = {"text": text}

    def _figure(self, data: dict, kind: str, shown: dict) -> dict:
        """Values of one `<figure>`; the picture becomes a file of the report."""
        page = self.page
        alt, caption, name = (shown.get(key, "") for key in ("alt", "caption", "name"))
        for what, text in (("alt text", alt), ("a caption", caption)):
            if not text.strip():
                page.problem(f"a picture without {what}; show it with course.show")
        if not FIGURE_NAME.fullmatch(name):
            name = f"figure-{page.figures + 1}"
        content = "".join(data[kind])
        if kind == "image/svg+xml":
            if is_hostile_svg(content):
                page.problem(f"figure {name}: an SVG with a script or foreign address")
            pictures, suffix = in_themes(content), "svg"
            width, height = svg_size(content)
        else:
            picture, suffix = base64.b64decode(content), kind.partition("/")[2]
            pictures = {"both": picture}
            width, height = png_size(picture) if suffix == "png" else (None, None)
        files = {
            theme: self._file(f"{name}{DARK * (theme == 'dark')}.{suffix}", picture)
            for theme, picture in pictures.items()
        }
        page.figures += 1
        return {
            "id": name,
            "files": files,
            "downloads": self._downloads(name, data, suffix),
            "alt": alt,
            "caption": inline(caption),
            "number": page.figures,
            "width": round(width * SCALE) if width else None,
            "height": round(height * SCALE) if height else None,
        }

    def _downloads(self, name: str, data: dict, suffix: str) -> dict[str, str]:
        """Files to take away by kind: what is shown, dots, the data of the figure."""
        files = {suffix.upper(): f"{name}.{suffix}"}
        if suffix == "svg" and "image/png" in data:
            dots = base64.b64decode("".join(data["image/png"]))
            files["PNG"] = self._file(f"{name}.png", dots)
        if "text/csv" in data:
            files["CSV"] = self._file(f"{name}.csv", "".join(data["text/csv"]))
        return files

    def _file(self, name: str, content: str | bytes) -> str:
        content = content.encode() if isinstance(content, str) else content
        self.page.keep(name, content)
        return name


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs with neighbouring pieces of one stream put together."""
    whole: list[NotebookNode] = []
    for output in outputs:
        name = output.get("name")
        if name and whole and whole[-1].get("name") == name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def plain(text: str) -> str:
    """Terminal output without colours; a bar that redraws its line shows its end."""
    lines = ANSI.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def embed_attachments(cell: NotebookNode) -> None:
    """Put pictures pasted into a markdown cell in the place of `attachment:` names."""
    for name, bundle in cell.get("attachments", {}).items():
        for kind, content in bundle.items():
            address = f"data:{kind};base64,{content}"
            cell.source = cell.source.replace(f"attachment:{name}", address)


def mark_solutions(cells: list[NotebookNode]) -> None:
    """Tell the template where a run of cells tagged `solution` begins and ends."""
    inside = False
    for cell in cells:
        solution = "solution" in tags(cell)
        cell.metadata.page["opens_solution"] = solution and not inside
        inside = solution
    following = [*cells[1:], None]
    for cell, after in zip(cells, following, strict=True):
        is_last = after is None or "solution" not in tags(after)
        cell.metadata.page["closes_solution"] = "solution" in tags(cell) and is_last


def svg_size(svg: str) -> tuple[int | None, int | None]:
    """Width and height in CSS pixels as the `<svg>` element states them."""
    head = re.search(r"<svg\b[^>]*>", svg)
    sizes = []
    for side in ("width", "height"):
        found = head and re.search(rf'\s{side}="([\d.]+)(pt|px|)"', head[0])
        scale = INCH / 72 if found and found[2] == "pt" else 1
        sizes.append(round(float(found[1]) * scale) if found else None)
    return sizes[0], sizes[1]


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in CSS pixels, from the header and its dots per inch."""
    width, height = struct.unpack(">II", png[16:24])
    at = png.find(b"pHYs", 0, 4096)
    if at < 0:
        return width, height
    dots_per_metre, _, unit = struct.unpack(">IIB", png[at + 4 : at + 13])
    scale = INCH / (dots_per_metre * 0.0254) if unit == 1 and dots_per_metre else 1
    return round(width * scale), round(height * scale)
