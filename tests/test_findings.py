"""The verdict table over the student's steps, in numbers and in two languages."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar100 import evidence, paths
from cifar100.evidence import ENGLISH, KOREAN, findings, headlines, in_words
from cifar100.experiments import EXPERIMENTS, STORY

RECORDS = paths.package_root() / "records"
LANGUAGES = pytest.mark.parametrize("language", [ENGLISH, KOREAN], ids=lambda x: x.code)


def copy_records(home, **seeds):
    """Real records into `home`: for each experiment, that many seeds."""
    for name, count in seeds.items():
        for seed in range(count):
            target = home / "records" / name / f"seed-{seed}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(RECORDS / name / target.name, target)


def val_top1(name, count):
    texts = [(RECORDS / name / f"seed-{s}.json").read_text() for s in range(count)]
    return [json.loads(text)["metrics"]["val_top1"] for text in texts]


def only(table, name):
    (row,) = table[table["experiment"] == name].to_dict("records")
    return row


@pytest.fixture(scope="module")
def found():
    return findings()


# The rows


def test_every_step_is_there_in_the_order_of_the_story(found):
    assert list(dict.fromkeys(found["row"])) == [step.row for step in STORY]
    notebooks = dict(zip(found["row"], found["notebook"], strict=True))
    assert notebooks == {step.row: step.notebook for step in STORY}


def test_every_confirmatory_contrast_is_there_once(found):
    mine = found.loc[found["kind"] == "confirmatory", "experiment"]
    asked = [e.name for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
    assert sorted(mine) == sorted(asked)


def test_steps_of_exploratory_rows_are_those_of_their_experiments(found):
    for row in found.to_dict("records"):
        assert EXPERIMENTS[row["experiment"]].row == row["row"]


# The numbers


def test_effect_interval_and_word_are_those_of_compare(found):
    recorded = found[found["effect"].notna()]
    assert len(recorded) >= 5
    for row in recorded.to_dict("records"):
        effect = evidence.compare(row["experiment"], row["parent"])
        mine = [row[key] for key in ("effect", "low", "high", "n")]
        theirs = [effect.mean, effect.moderated_low, effect.moderated_high, effect.n]
        assert mine == theirs
        assert row["word"] == (effect.word or "")
        if effect.word:
            assert row["p_adjusted"] == effect.p_adjusted


@pytest.mark.parametrize(("before", "after"), [(5, 3), (3, 5)])
def test_both_sides_of_a_contrast_stand_on_the_same_seeds(home, before, after):
    copy_records(home, dropout_before=before, dropout_after=after)
    row = only(findings(), "dropout_after")
    assert row["n"] == 3
    assert row["before"] == pytest.approx(np.mean(val_top1("dropout_before", 3)))
    assert row["top1"] == pytest.approx(np.mean(val_top1("dropout_after", 3)))
    assert row["top1"] - row["before"] == pytest.approx(row["effect"])


def test_level_has_the_t_interval_of_its_seeds(home):
    copy_records(home, simple_cnn=5)
    row = only(findings(), "simple_cnn")
    top1 = val_top1("simple_cnn", 5)
    expected = stats.t.interval(0.95, 4, np.mean(top1), stats.sem(top1))
    assert (row["top1_low"], row["top1_high"]) == pytest.approx(expected)
    assert np.isnan(row["before"])
    assert only(headlines(), "simple_cnn")["top1_low"] == row["top1_low"]


def test_contrast_has_its_difference_with_statistics_estimated_anew(home):
    copy_records(home, dropout_before=5, dropout_after=5, baseline=5)
    row = only(findings(), "dropout_after")
    effect = evidence.compare_evaluated(
        "dropout_after", "dropout_before", "batch_norm_reestimated"
    )
    found = effect.mean, effect.moderated_low, effect.moderated_high
    assert (row["anew"], row["anew_low"], row["anew_high"]) == pytest.approx(found)
    assert row["anew"] != row["effect"]
    (shown,) = in_words(pd.DataFrame([row])).to_dict("records")
    assert shown["anew"].startswith(evidence.pp(effect.mean).removesuffix(" pp"))


def test_network_without_that_score_has_none(home):
    copy_records(home, vgg16=5, vgg16_less_block=5)
    row = only(findings(), "vgg16_less_block")
    assert np.isnan([row["anew"], row["anew_low"], row["anew_high"]]).all()
    assert not np.isnan(row["effect"])


def test_one_run_has_no_interval_and_one_pair_no_effect(home):
    copy_records(home, baseline=1, dropout_before=1)
    row = only(findings(), "dropout_before")
    assert row["n"] == 1
    assert np.isnan([row["effect"], row["top1_low"]]).all()
    (shown,) = in_words(pd.DataFrame([row])).to_dict("records")
    assert (shown["difference"], shown["seeds"], shown["verdict"]) == (
        *("–", "1 of 5"),
        "open",
    )


# The words


@LANGUAGES
def test_what_is_not_recorded_says_so(home, language):
    table = findings()
    assert (table["n"] == 0).all()
    assert set(in_words(table, language)["verdict"]) == {language.words["missing"]}


def test_contrast_with_too_few_seeds_is_open(home):
    copy_records(home, dropout_before=5, dropout_after=4)
    table = findings()
    shown = in_words(table[table["experiment"] == "dropout_after"]).iloc[0]
    assert (shown["seeds"], shown["verdict"], shown["p"]) == ("4 of 5", "open", "–")
    assert shown["difference"].startswith("+")


@LANGUAGES
def test_table_in_words_has_a_line_a_row_and_no_gap(found, language):
    shown = in_words(found, language)
    assert list(shown.columns) == list(language.heads)
    assert shown.index.equals(found.index)
    assert not shown.isin(["", "nan", "None"]).any(axis=None)


def test_numbers_are_written_as_each_language_does():
    assert ENGLISH.level(0.3834, 0.3801, 0.3867) == "38.3 % (38.0 to 38.7 %)"
    assert KOREAN.level(0.3834, 0.3801, 0.3867) == "38.3% (38.0 ~ 38.7%)"
    assert ENGLISH.effect(-0.036, -0.052, -0.02) == "−3.6 pp (−5.2 to −2.0)"
    assert KOREAN.effect(0.0551, 0.039, 0.07) == "+5.5%p (+3.9 ~ +7.0)"
    assert ENGLISH.effect(0.0004, -0.0002, 0.001) == "+0.04 pp (−0.02 to +0.10)"
    assert (ENGLISH.p(0.0301), ENGLISH.p(1e-6)) == ("0.03", "below 0.0001")
    assert (ENGLISH.p(np.nan), KOREAN.p(1e-6)) == ("–", "0.0001 미만")


def test_korean_has_a_word_for_all_that_is_shown(found):
    assert list(KOREAN.heads) == list(ENGLISH.heads)
    assert KOREAN.words.keys() == ENGLISH.words.keys()
    assert KOREAN.steps.keys() == ENGLISH.steps.keys()
    assert list(KOREAN.claims) == list(dict.fromkeys(found["experiment"]))
    assert KOREAN.networks.keys() == ENGLISH.networks.keys()
    assert set(headlines()["experiment"]) == KOREAN.networks.keys()
    said = [*KOREAN.heads.values(), *KOREAN.words.values(), *KOREAN.claims.values()]
    assert [text for text in said if not re.search("[가-힣]|^p$", text)] == []
