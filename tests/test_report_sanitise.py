"""What notebooks put on a page is inert, and what matplotlib writes is let through."""

import base64
import io
import re

import pytest
from matplotlib.figure import Figure
from small_notebooks import PNG

from cifar100.report.outputs import png_size, svg_size
from cifar100.report.prose import inline
from cifar100.report.sanitise import is_hostile_svg, sanitise


def test_nothing_of_an_output_can_act():
    html = sanitise(
        "<script>1</script><style>p{}</style><p onclick='x' style='a' id='m'>text</p>"
        "<a href='javascript:x'>one</a><a href='data:text/html,x'>two</a>"
        "<img src='https://example.org/x.png' alt='x'><iframe src='x'></iframe>"
        "<form action='x'><input></form><img src='data:text/html,x' alt='y'>"
        "<svg onload='x'><circle/></svg><base href='x'><meta http-equiv='refresh'>"
    )
    assert html.startswith("<p>text</p>")
    kept = set(re.findall(r"<(\w+)", html))
    assert kept <= {"p", "a", "img"}
    assert not re.search(r"javascript|data:|example|onload|style|id=", html)


def test_caption_holds_no_markup_that_acts():
    assert inline("a <script>1</script>*b*") == "a <em>b</em>"


@pytest.mark.parametrize(
    "text", ["a\n\nb", "# a\nb", "- a\n- b", "1. a\n2. b", "> a\n\nb"]
)
def test_a_caption_of_several_blocks_stays_inside_its_paragraph(text):
    assert inline(text).split() == ["a", "b"]


def test_svg_of_matplotlib_is_not_taken_for_hostile():
    figure = Figure(figsize=(7.2, 3.6))
    axes = figure.subplots()
    axes.plot([1, 2], label="on = 1; url(x)", marker="o")
    axes.imshow([[0, 1]])
    axes.legend()
    file = io.StringIO()
    figure.savefig(file, format="svg")
    assert not is_hostile_svg(file.getvalue())
    assert svg_size(file.getvalue()) == (691, 346)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=192)
    assert png_size(png.getvalue()) == (691, 346)
    assert png_size(base64.b64decode(PNG)) == (1, 1)
