"""Effects in words: percentage points, intervals, the sentence of a verdict."""

from typing import Any

from cifar100.evidence.paired import PairedEffect

NARROW = 0.002  # an interval below 0.2 pp needs a second digit to be read at all


def pp(fraction: float, digits: int = 1) -> str:
    """A difference in percentage points, with its sign: 0.0123 -> "+1.2 pp"."""
    return f"{_signed(fraction, digits)} pp"


def interval_text(low: float, high: float, digits: int | None = None) -> str:
    """An interval of differences in percentage points: "+0.8 to +1.6 pp".

    One digit after the point, or two where the interval is narrow.
    """
    digits = _digits(low, high) if digits is None else digits
    return f"{_signed(low, digits)} to {_signed(high, digits)} pp"


def verdict(effect: PairedEffect, claim: str | None = None) -> str:
    """One sentence of Markdown on an effect from `compare`, after `claim`.

    Both 95 % intervals are given: the moderated one, which the word belongs to, and the
    one from these seeds alone. An exploratory effect has no word, and a confirmatory
    one is open until all of its seeds are recorded.
    """
    if claim is None:  # a claim, and not what was found
        claim = f"“{effect.claim}”" if effect.claim else ""
    digits = _digits(effect.moderated_low, effect.moderated_high)
    moderated = interval_text(effect.moderated_low, effect.moderated_high, digits)
    own = interval_text(effect.low, effect.high, digits)
    finding = (
        f"{claim} {pp(effect.mean, digits)} on the validation split "
        f"(95 % interval {moderated}; from its own seeds alone {own}; {effect.n}"
    ).lstrip()
    if effect.kind == "exploratory":
        return f"{finding} paired seeds, exploratory)."
    if effect.word is None:
        return f"**Verdict: open.** {finding} of {effect.seeds} paired seeds)."
    adjusted = p_text(effect.p_adjusted)
    return (
        f"**Verdict: {effect.word}.** {finding} paired seeds, adjusted p {adjusted})."
    )


def verdict_cells(row: dict[str, Any]) -> dict[str, str]:
    """A row of `exam.verdict_rows` as words, for a table.

    A step without a contrast says so, and one without enough runs that it is missing.
    """
    cells = {"step": row["row"], "student": row["student"] or "–"}
    none = dict.fromkeys(("on val", "interval", "adjusted p", "word"), "–")
    none |= dict.fromkeys(("on test", "interval, test", "word, test"), "–")
    if row["claim"] is None:
        return cells | {"claim": "(no contrast named beforehand)"} | none
    cells |= {"claim": row["claim"]} | none
    effects = {"val": row["val"], "test": row["test"]}
    for split, effect in effects.items():
        if effect is None:
            cells[f"on {split}"] = "missing"
            continue
        after = "" if split == "val" else ", test"
        low, high = effect.moderated_low, effect.moderated_high
        cells[f"on {split}"] = pp(effect.mean, _digits(low, high))
        cells[f"interval{after}"] = interval_text(low, high)
        cells[f"word{after}"] = effect.word or f"open, {effect.n} of {effect.seeds}"
        if split == "val" and effect.p_adjusted is not None:
            cells["adjusted p"] = p_text(effect.p_adjusted)
    return cells


def _digits(low: float, high: float) -> int:
    return 1 if high - low >= NARROW else 2


def _signed(fraction: float, digits: int) -> str:
    rounded = round(100 * fraction, digits)
    sign = "+" if rounded > 0 else "\N{MINUS SIGN}" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def p_text(p: float) -> str:
    """A p value in two digits."""
    return "below 0.0001" if p < 1e-4 else f"{p:.2g}"
