"""Effects in words: percentage points, intervals, the sentence of a verdict."""

from cifar100.evidence.paired import EQUIVALENCE, PairedEffect

NARROW = 0.002  # an interval below 0.2 pp needs a second digit to be read at all


def pp(fraction: float, digits: int = 1) -> str:
    """A difference in percentage points, with its sign: 0.0123 -> "+1.2 pp"."""
    return f"{signed(fraction, digits)} pp"


def interval_text(low: float, high: float, digits: int | None = None) -> str:
    """An interval of differences in percentage points: "+0.8 to +1.6 pp".

    One digit after the point, or two where the interval is narrow or ends near zero.
    """
    digits = digits_of(low, high) if digits is None else digits
    return f"{signed(low, digits)} to {signed(high, digits)} pp"


def effect_text(effect: PairedEffect) -> str:
    """An effect with its moderated 95 % interval and its seeds, for a cell or a clause:
    "+1.2 pp (+0.8 to +1.6 pp, 5 seeds)"."""
    low, high = effect.moderated_low, effect.moderated_high
    digits = digits_of(low, high)
    interval = interval_text(low, high, digits)
    return f"{pp(effect.mean, digits)} ({interval}, {effect.n} seeds)"


def outcome(effect: PairedEffect) -> str:
    """An effect in half a clause: "+2.8 pp", or "nothing clear (−0.8 to +1.3 pp)" where
    its moderated 95 % interval holds zero; "+2.8 pp (weak)" where only the one from its
    own seeds does."""
    low, high = effect.moderated_low, effect.moderated_high
    if low <= 0 <= high:
        return f"nothing clear ({interval_text(low, high)})"
    return f"{pp(effect.mean, digits_of(low, high))}{' (weak)' * is_weak(effect)}"


def is_weak(effect: PairedEffect) -> bool:
    """Whether zero is outside the moderated 95 % interval only, and inside the one from
    these seeds alone."""
    clear = not effect.moderated_low <= 0 <= effect.moderated_high
    return clear and effect.low <= 0 <= effect.high


def verdict(effect: PairedEffect, claim: str | None = None) -> str:
    """One sentence of Markdown on an effect from `compare`, after `claim`.

    Both 95 % intervals are given: the moderated one, which the word belongs to, and the
    one from these seeds alone; *no effect worth 1 pp* goes by a third, of 90 %. An
    exploratory effect has no word, only the way it points, and a confirmatory one is
    open until all of its seeds are recorded.
    """
    if claim is None:  # a claim, and not what was found
        claim = f"“{effect.claim}”" if effect.claim else ""
        if claim and effect.kind == "exploratory":
            claim = f"{claim} {tendency(effect)}:"
    digits = digits_of(effect.moderated_low, effect.moderated_high)
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
    grounds = f"adjusted p {p_text(effect.p_adjusted)}"
    if effect.word == "no effect worth 1 pp":
        bounds = interval_text(*effect.interval(EQUIVALENCE), digits)
        grounds = f"{bounds} at {100 * EQUIVALENCE:.0f} %"
    return f"**Verdict: {effect.word}.** {finding} paired seeds, {grounds})."


def tendency(effect: PairedEffect) -> str:
    """Which way an exploratory effect points, seen from its claim: no verdict word."""
    if effect.moderated_low <= 0 <= effect.moderated_high:
        return "The runs show no clear direction"
    agrees = (effect.mean > 0) == (effect.supports > 0)
    return f"The runs point {'that' if agrees else 'the other'} way"


def digits_of(low: float, high: float) -> int:
    """Digits after the point that an interval in percentage points is given with: one,
    unless that says too little of its width, or of the side of zero that it is on."""
    touches = any(end and not round(100 * end, 1) for end in (low, high))
    return 2 if touches or high - low < NARROW else 1


def signed(fraction: float, digits: int) -> str:
    """A difference times 100, with its sign and without its unit."""
    rounded = round(100 * fraction, digits)
    sign = "+" if rounded > 0 else "\N{MINUS SIGN}" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def p_text(p: float, tiny: str = "below 0.0001") -> str:
    """A p value with two digits, or `tiny` where they would mean nothing.

    Three where two would hide on which side of 0.05 it lies.
    """
    digits = 3 if f"{p:.2g}" == "0.05" else 2
    return tiny if p < 1e-4 else f"{p:.{digits}g}"
