"""Write the tables of README.md and README.ko.md anew from the records: `make readme`.

What stands between <!-- NAME --> and <!-- /NAME --> is computed, the rest is kept.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from cifar100 import paths
from cifar100.errors import PlainError, UserError, WorkError
from cifar100.evidence import (
    ENGLISH,
    KOREAN,
    Language,
    findings,
    headlines,
    in_words,
)
from cifar100.experiments import EXPERIMENTS, NOTEBOOKS, STORY, get
from cifar100.files import write_atomically
from cifar100.records import Record, list_records

COMMAND = "make readme"
FILES = {"README.md": ENGLISH, "README.ko.md": KOREAN}
SHOWN = ["row", "claim", "student", "ours", "difference", "anew", "seeds", "verdict"]
SENTENCES = {
    "en": {
        "not tested": "Not recorded yet: {}.",
        "whole": "{}",
        "rest": "the rest of {}",
        "ensemble": "An *ensemble* of {0} networks (“{1}”), averaged over images and "
        "their mirror images, reaches {2}. It is no row of the table, as it takes {0} "
        "trainings.",
        "network": "network",
        "top1": "val top-1 (95 % interval over seeds)",
        "notebooks": "Notebooks in the report: {} of {} ({}).",
        "runs": "Recorded runs: {} of {}, those for a GPU aside, on {}. Complete: {}.",
        "gpu": "Not yet on a GPU.",
        "weights": "Networks in `weights/`: {}.",
        "sealed": "The test predictions of all runs are stored and sealed: "
        "nobody has looked at them.",
        "opened": "The test predictions are opened in notebook 15, and nowhere else.",
        "none": "none yet",
    },
    "ko": {
        "not tested": "아직 기록하지 않은 것: {}.",
        "whole": "{} 전체",
        "rest": "{}의 나머지",
        "ensemble": "신경망 {0}개(‘{1}’)의 예측을, 좌우로 뒤집은 이미지에 대한 "
        "예측까지 모두 평균한 *앙상블*의 정확도는 {2}입니다. 학습을 {0}번 해야 하므로 "
        "표에는 넣지 않았습니다.",
        "network": "신경망",
        "top1": "val top-1 (시드별 결과로 구한 95% 신뢰구간)",
        "notebooks": "보고서에 실린 노트북: {1}개 중 {0}개 ({2}).",
        "runs": "기록한 실행 (GPU가 필요한 것은 빼고): {1}번 중 {0}번, 장치는 {2}. "
        "모두 끝난 단계: {3}.",
        "gpu": "GPU에서는 아직 돌려 보지 않았습니다.",
        "weights": "`weights/`에 있는 신경망: {}.",
        "sealed": "테스트 이미지에 대한 예측은 저장만 해 두고, 아직 아무도 열어 보지 "
        "않았습니다.",
        "opened": "테스트 이미지에 대한 예측은 15번 노트북에서만 엽니다.",
        "none": "아직 없음",
    },
}


def blocks(language: Language, found: list[Record], folder: Path) -> dict[str, str]:
    """What stands between the markers of one README, by their name."""
    return {
        "findings": _findings(language, findings(found), folder),
        "headlines": _headlines(language, headlines(found)),
        "status": _status(language, found, folder),
    }


def _findings(language: Language, table: pd.DataFrame, folder: Path) -> str:
    """The confirmatory claims of which runs are recorded, and what is left."""
    claims = table[table["kind"] == "confirmatory"]
    recorded = claims[claims["n"] > 0]
    table = in_words(recorded, language)
    rows = [
        [_link(row["row"], row["notebook"], folder), *(row[c] for c in SHOWN[1:])]
        for row in table.to_dict("records")
    ]
    words, begun = SENTENCES[language.code], set(recorded["row"])
    left = [
        words["rest" if row in begun else "whole"].format(row)
        for row in dict.fromkeys(claims.loc[claims["n"] == 0, "row"])
    ]
    lines = [_table([language.heads[c] for c in SHOWN], rows)]
    if left:
        lines.append(words["not tested"].format(", ".join(left)))
    return "\n\n".join(lines)


def _headlines(language: Language, table: pd.DataFrame) -> str:
    words = SENTENCES[language.code]
    rows = [
        [
            language.networks[row["experiment"]],
            language.level(row["top1"], row["top1_low"], row["top1_high"]),
            language.count(row["n"], row["seeds"]),
        ]
        for row in table[table["n"] > 0].to_dict("records")
    ]
    left = [language.networks[n] for n in table.loc[table["n"] == 0, "experiment"]]
    lines = [_table([words["network"], words["top1"], language.heads["seeds"]], rows)]
    if largest := _largest_ensemble():
        of_what = language.networks["fast_wide"]
        top1 = language.percent(largest["top1"])
        lines.append(words["ensemble"].format(largest["k"], of_what, top1))
    if left:
        lines.append(words["not tested"].format("; ".join(left)))
    return "\n\n".join(lines)


def _largest_ensemble() -> dict[str, Any] | None:
    """That of the most networks and views which notebook 13 has stored, if any."""
    path = paths.demonstration("ensemble")
    if not path.exists():
        return None
    sizes = json.loads(path.read_text(encoding="utf-8"))["value"]["sizes"]
    return max(sizes, key=lambda size: (size["k"], size["views"]))


def _status(language: Language, found: list[Record], folder: Path) -> str:
    """How far the course is: counted from records and from the files that are there."""
    words = SENTENCES[language.code]
    written = [n.number for n in NOTEBOOKS if _page(n.number, folder)]
    planned = {
        (e.row, e.name, seed)
        for e in EXPERIMENTS.values()
        if not e.gpu
        for seed in range(e.seeds)
    }
    runs = {(get(r.experiment).row, r.experiment, r.seed) for r in found}
    left = {row for row, *_ in planned - runs}
    complete = [step.row for step in STORY if step.row not in left]
    kinds = {r.data["device"]["kind"] for r in found}
    on_laptop = [r for r in found if not get(r.experiment).gpu]
    names = sorted({r.data["device"]["name"] for r in on_laptop})
    networks = sorted(path.stem for path in (folder / "weights").glob("*.npz"))
    return "\n".join(
        f"- {line}"
        for line in (
            words["notebooks"].format(len(written), len(NOTEBOOKS), ", ".join(written)),
            words["runs"].format(
                len(planned & runs),
                len(planned),
                ", ".join(names) or words["none"],
                ", ".join(complete) or words["none"],
            ),
            *([] if "gpu" in kinds else [words["gpu"]]),
            words["weights"].format(", ".join(networks) or words["none"]),
            words["opened" if "15" in written else "sealed"],
        )
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:]])


def _link(row: str, number: str, folder: Path) -> str:
    """A step, with a link to the notebook that shows it once that is in the report."""
    page = _page(number, folder)
    return f"[{row}]({page})" if page else row


def _page(number: str, folder: Path) -> str | None:
    (stem,) = (n.stem for n in NOTEBOOKS if n.number == number)
    page = f"notebooks/{stem}.ipynb"
    return page if (folder / page).is_file() else None


def filled(text: str, contents: dict[str, str], name: str) -> tuple[str, list[str]]:
    """`text` of the file `name` with each block filled, and the blocks that changed.

    Raises `WorkError` for a block whose two markers are not there once each.
    """
    changed = []
    for block, content in contents.items():
        start, end = f"<!-- {block} -->", f"<!-- /{block} -->"
        before, _, rest = text.partition(start)
        old, _, after = rest.partition(end)
        if text.count(start) != 1 or text.count(end) != 1 or end in before:
            raise WorkError(
                f"{name}: no {start} … {end}; put the markers back, then `{COMMAND}`"
            )
        new = f"\n{content}\n"
        text = f"{before}{start}{new}{end}{after}"
        changed += [start] if new != old else []
    return text, changed


def update(folder: Path, *, check: bool) -> str:
    """Fill the blocks of both files in `folder`; what was done, in a line.

    With `check` nothing is written, and a block that would change is a `WorkError`.
    """
    texts, changed, found = {}, [], list_records()
    for name, language in FILES.items():
        text = (folder / name).read_bytes().decode("utf-8")
        texts[name], blocks_changed = filled(
            text, blocks(language, found, folder), name
        )
        changed += [f"{name} {block}" for block in blocks_changed]
    listed = ", ".join(changed)
    if check and changed:
        raise WorkError(f"{listed}: not what the records say; `{COMMAND}` mends it")
    if not changed:
        return f"{' and '.join(FILES)} say what the records say"
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
    return f"written: {listed}"


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    """Exit status: 0, 1 when `--check` finds a difference or a marker is gone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    given = parser.parse_args(arguments)
    try:
        print(update(folder or paths.package_root(), check=given.check))
    except PlainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    return 0


if __name__ == "__main__":
    os.environ.pop("CIFAR100_HOME", None)  # the README tells of this checkout
    sys.exit(main())
