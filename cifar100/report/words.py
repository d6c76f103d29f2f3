"""What pages say around their contents, in English and Korean."""

import tomllib
from functools import cache
from typing import Any

from markupsafe import Markup

from cifar100.report.pages import Summary
from cifar100.report.sources import CONTENT


class Words:
    """The words of one language as attributes: `words.search`.

    Raises AttributeError for a word that `content/words.toml` does not have.
    """

    def __init__(self, language: str):
        sections = content()
        self.language = language
        self._titles = sections["notebooks"] if language == "ko" else {}
        for section, entries in sections.items():
            if section != "notebooks":
                vars(self).update(
                    {key: said[language] for key, said in entries.items()}
                )

    def title_of(self, summary: Summary) -> str:
        """Title of a notebook, in English where it is not translated."""
        return self._translated(summary).get("title", summary.title)

    def question_of(self, summary: Summary) -> str:
        """Question of a notebook, in English where it is not translated."""
        return self._translated(summary).get("question", summary.question)

    def lang_of_notebook(self, summary: Summary) -> Markup:
        """A `lang` attribute for what stands in another language than the page."""
        is_own = self.language == "en" or self._translated(summary)
        return Markup("" if is_own else ' lang="en"')  # noqa: S704 (fixed words)

    def _translated(self, summary: Summary) -> dict[str, str]:
        return self._titles.get(summary.name, {})


@cache
def content() -> dict[str, Any]:
    """`content/words.toml`: sections of words, each in all languages."""
    return tomllib.loads((CONTENT / "words.toml").read_text(encoding="utf-8"))
