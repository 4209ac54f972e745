"""The first rule that fits decides: compared with a second, plain implementation."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.dispatch.hours import minutes_of_day, parse_hours, within
from gridmap.dispatch.rules import NO_RULE, Condition, Facts, Rule, first_match, holds
from gridmap.errors import InvalidValueError

SITES = ("market", "school")


def fits(rule, problem):
    """Every condition in plain words."""
    return (
        not rule.idle
        and (rule.areas is None or problem["area"] in rule.areas)
        and (rule.categories is None or problem["category"] in rule.categories)
        and (rule.road is None or problem["road"] == rule.road)
        and (rule.site is None or rule.site in problem["near"])
        and (not rule.spans or any(in_span(problem["minute"], *span) for span in rule.spans))
        and (rule.source is None or problem["source"] == rule.source)
        and problem["severity"] >= rule.least_severity
    )


def in_span(minute, start, end):
    while start != end:
        if start == minute:
            return True
        start = (start + 1) % 1440 if end != 1440 else start + 1
    return False


def plain(rules, problems):
    return [
        next((position for position, rule in enumerate(rules) if fits(rule, problem)), NO_RULE)
        for problem in problems
    ]


def columns(problems):
    def column(name, kind):
        return np.array([problem[name] for problem in problems], dtype=kind)

    return Facts(
        area=column("area", np.int64),
        category=column("category", np.int64),
        road=column("road", np.int64),
        minute=column("minute", np.int16),
        source=column("source", np.int16),
        severity=column("severity", np.int16),
        near={site: np.array([site in one["near"] for one in problems], dtype=bool) for site in SITES},
    )


small = st.integers(-1, 4)
ids = st.none() | st.frozensets(st.integers(0, 4), max_size=3)
minutes = st.integers(0, 1439)
spans = st.lists(
    st.tuples(minutes, st.integers(0, 1440)).filter(lambda span: span[0] != span[1]), max_size=2
).map(tuple)
rules = st.lists(
    st.builds(
        Rule,
        areas=ids,
        categories=ids,
        road=st.none() | small,
        site=st.none() | st.sampled_from(SITES),
        spans=spans,
        source=st.none() | st.integers(0, 6),
        least_severity=st.integers(0, 5),
        idle=st.sampled_from([False, False, False, True]),
    ),
    max_size=6,
)
problems = st.lists(
    st.fixed_dictionaries(
        {
            "area": small,
            "category": small,
            "road": small,
            "minute": minutes,
            "source": st.integers(0, 6),
            "severity": st.integers(1, 5),
            "near": st.frozensets(st.sampled_from(SITES)),
        }
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=300)
@given(rules, problems)
def test_the_first_that_fits_takes_it(rules, problems):
    assert first_match(rules, columns(problems)).tolist() == plain(rules, problems)


@settings(deadline=None, max_examples=100)
@given(rules, problems)
def test_each_condition_is_told_by_itself(rules, problems):
    for rule in rules:
        each = holds(rule, columns(problems))
        together = np.logical_and.reduce([np.ones(len(problems), dtype=bool), *each.values()])
        assert (together & (not rule.idle)).tolist() == [fits(rule, problem) for problem in problems]


def test_only_conditions_that_are_stated_are_told():
    named = {"area": 1, "category": 1, "road": -1}
    one = columns([{**named, "minute": 0, "source": 0, "severity": 2, "near": ()}])
    assert holds(Rule(), one) == {}
    assert set(holds(Rule(road=3, site="market"), one)) == {Condition.ROAD, Condition.SITE}


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("07:20-08:10", ((440, 490),)),
        ("7:20-8:10, 19:00-23:00", ((440, 490), (1140, 1380))),
        ("22：00－02：00", ((1320, 120),)),
        ("22:00~24:00、0:00至2:00", ((1320, 1440), (0, 120))),
        ("12:00—14:00；18:00—20:00", ((720, 840), (1080, 1200))),
    ],
)
def test_hours_as_people_write_them(text, spans):
    assert parse_hours(text) == spans


@pytest.mark.parametrize("text", ["morning", "8-9", "08:00-08:00", "25:00-26:00", "08:60-09:00", "24:00-2:0"])
def test_other_hours_are_refused_with_what_was_found(text):
    with pytest.raises(InvalidValueError) as refused:
        parse_hours(text)
    assert refused.value.params["found"] in text
    assert refused.value.parameter == "hours"


def test_past_midnight_both_ends():
    night = parse_hours("22:00-02:00")
    at = {"21:59": False, "22:00": True, "23:59": True, "00:00": True, "01:59": True, "02:00": False}
    minute = [int(text[:2]) * 60 + int(text[3:]) for text in at]
    assert within(night, minute).tolist() == list(at.values())


def test_the_day_is_the_cities_own():
    times = np.array(["2026-05-09T15:59", "2026-05-09T16:00"], dtype="datetime64[us]")
    assert minutes_of_day(times, ZoneInfo("Asia/Shanghai")).tolist() == [23 * 60 + 59, 0]
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    moment = np.array([summer.replace(tzinfo=None)], dtype="datetime64[us]")
    assert minutes_of_day(moment, ZoneInfo("Europe/Berlin")).tolist() == [14 * 60]
