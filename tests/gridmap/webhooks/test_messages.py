"""Texts of group robots, which take only so many bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gridmap.webhooks.messages import LONGEST_TEXT, MOST_BYTES, Happening, body_of
from gridmap.webhooks.models import Target

WORDS = st.builds(
    lambda said, times: said * times,
    st.text(st.sampled_from("网格违建路\n \r街🚧a·"), min_size=1, max_size=6),
    st.sampled_from([0, 1, 80]),
)
HAPPENINGS = st.builds(
    Happening,
    event=st.just("e"),
    action=st.just("dispatch"),
    at=st.just(datetime(2026, 5, 1, tzinfo=UTC)),
    note=WORDS,
    problem=st.just("p"),
    number=st.integers(1, 10**9),
    category=st.just("0401"),
    category_name=WORDS,
    state=st.just("dispatched"),
    lon=st.just(121.0),
    lat=st.just(31.0),
    address=WORDS,
    area=st.none(),
    area_name=WORDS,
    organisation=st.none(),
    organisation_name=WORDS,
    due_at=st.one_of(st.none(), st.just(datetime(2026, 5, 2, tzinfo=UTC))),
)


@given(given_=st.lists(HAPPENINGS, min_size=1, max_size=30), target=st.sampled_from(["wecom", "dingtalk"]))
def test_a_text_fits_and_names_or_counts_everything(given_, target):
    told = json.loads(body_of(Target(target), given_, zone=ZoneInfo("Asia/Shanghai")))["text"]["content"]
    assert len(told.encode()) <= MOST_BYTES
    lines = told.split("\n")
    named = [line for line in lines if line.startswith("第 ")]
    assert 1 <= len(named) <= LONGEST_TEXT
    for line, one in zip(named, given_, strict=False):
        assert line.startswith(f"第 {one.number} 号")
    left = len(given_) - len(named)
    assert lines[len(named) :] == ([f"…还有 {left} 项"] if left else [])
