"""Prose takes its numbers from records: what is typed is a citation, and says so."""

import pytest
from bs4 import BeautifulSoup
from test_project import ROOT
from typed_figures import cells_of, problems, said_by

from cifar100.report.prose import Page, markdown_to_html

README = ("findings", "headlines", "status")  # scripts/update_readme.py, test_readme.py
# Blocks that something computes, or compares with what was measured.
GENERATED = {
    "README.md": README,
    "README.ko.md": README,
    "engines.md": ("spread", "programs", "speed", "precision"),  # test_docs.py
    "evidence.md": ("simulation",),  # test_error_rates.py
    "scaling.md": ("workers", "simulated", "troubles", "large"),  # test_docs.py
}
FILES = ("*.md", "docs/*.md", "notebooks/*.ipynb", "notebooks/drafts/*.ipynb")
PROSE = sorted(path for names in FILES for path in ROOT.glob(names))
CITED = "\n<!-- cited: Barz & Denzler -->"
STUDENT = "\n<!-- cited: the student -->"


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_no_result_is_typed(path):
    cells = cells_of(path, GENERATED.get(path.name, ()))
    found = [f"{place}: {line}" for place, text in cells for line in problems(text)]
    assert found == [], "see CONTRIBUTING.md, “Numbers in prose”"


@pytest.mark.parametrize(
    "planted",
    [
        "Dropout brings us to 46.3 %.",
        "It ends at 0.52.",
        "It ends at **0.52**, says `0.52`.",
        "After pooling is better by +5.5 pp.",
        "| network | 43% |",
        "- a loss of 3.6 percentage points",
        "> Almost 40 percent of all pictures.",
        "드롭아웃을 뒤로 옮기면 5.5%p 올라 0.43이 됩니다.",
        f"Copies are 10 % of the test images (Barz & Denzler).{CITED}\n\nOurs: 2.4 %.",
    ],
)
def test_typed_result_is_found(planted):
    assert len(problems(planted)) >= 1
    assert "is typed" in problems(planted)[-1]


@pytest.mark.parametrize(
    "text",
    [
        "The child has `dropout=0.25`, in Keras 3.14 and jaxlib 0.10.2.",
        "```\nlearning_rate = 0.001  # 46.3 %\n```",
        "Thin lines are 95 % intervals over 5 seeds (arXiv:1801.05134).",
        f"Barz & Denzler (2020) found copies of 10 % of the test images.{CITED}",
        f"What Barz & Denzler found:\n\n> Copies, 10 % of\n> all.\n>{CITED[1:]}",
        f"The student saw 0.42 become 0.46, and later 0.3x.{STUDENT}",
        "At a rate of 0.2 every fifth unit is dropped.\n<!-- not a result -->",
        "See [the table](docs/a%20b.md): val top-1, percentage points.",
    ],
)
def test_setting_and_marked_citation_may_be_typed(text):
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"Copies are 10 % of the test images.{CITED}", "not in the text around"),
        (f"The student saw 0.42 become 0.47.{STUDENT}", "0.47 is no figure of"),
        (f"The student saw it rise.{STUDENT}", "stands where no figure is"),
    ],
)
def test_mark_without_its_source_or_figure_is_found(text, problem):
    assert problem in problems(text)[0]


def test_caption_is_prose_and_computed_numbers_are_not_typed():
    caption = 'show(figure, caption="After pooling it is 43.3 %.", alt=f"{top1:.1%}")'
    assert problems(said_by(caption)) == [
        "43.3 % is typed: compute it, or mark its source"
    ]
    computed = 'Markdown(f"{100 * top1:.1f} % on val, 95 % interval {low:.2f}, n = 5")'
    assert problems(said_by(computed)) == []
    assert problems(said_by(f"# not a result\n{caption}")) == []
    cited = '# cited: Guo et al.\nMarkdown("Guo et al. found 16.5 %.")'
    assert problems(said_by(cited)) == []
    assert len(problems(said_by(cited.replace("Guo et al. f", "They f")))) == 1


@pytest.mark.parametrize("name", ["README.md", "README.ko.md", "docs/evidence.md"])
def test_number_planted_in_a_file_is_found_outside_generated_blocks(name, tmp_path):
    text = (ROOT / name).read_text(encoding="utf-8")
    copy = tmp_path / ROOT.joinpath(name).name
    blocks = GENERATED[copy.name]
    end = f"<!-- /{blocks[0]} -->"

    def found(changed):
        copy.write_text(changed, encoding="utf-8")
        return [p for _, text in cells_of(copy, blocks) for p in problems(text)]

    assert found(text) == []
    assert len(found(f"{text}\nWe reach 71.2 %.\n")) == 1
    assert len(found(text.replace(end, f"{end}\n\nWe reach 71.2 %.\n"))) == 1
    assert len(found(f"{text}\n<!-- mine -->\n71.2 %\n<!-- /mine -->\n")) == 1


def test_reader_of_a_page_sees_no_mark():
    text = (
        f"It was 0.46.{STUDENT}\n\n- 0.2\n<!-- not a result -->\n\n> 10 %\n>{CITED[1:]}"
    )
    html = markdown_to_html(text, Page("00-page", ROOT / "notebooks"))
    seen = BeautifulSoup(html, "html.parser").get_text().split()
    assert seen == ["It", "was", "0.46.", "0.2", "10", "%"]
    assert "<!--" not in html


def test_number_planted_in_a_notebook_is_found(tmp_path):
    name = "05-dropout.ipynb"
    text = (ROOT / "notebooks" / name).read_text(encoding="utf-8")
    assert '"A verdict says' in text
    changed = text.replace('"A verdict says', '"It is 43.3 %. A verdict says', 1)
    (tmp_path / name).write_text(changed, encoding="utf-8")
    cells = list(cells_of(tmp_path / name))
    (planted,) = [place for place, text in cells if "43.3 %" in text]
    (found,) = [(place, p) for place, text in cells for p in problems(text)]
    assert found == (planted, "43.3 % is typed: compute it, or mark its source")
    assert planted.startswith(f"{name}, cell ")
