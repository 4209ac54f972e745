from __future__ import annotations

import re

import pytest

from gridmap.imports.kinds import KINDS
from gridmap.labels import LABELS, flag_labels, label
from gridmap.language import gettext, speak
from gridmap.problems.models import EventKind, Flag, Source, State


def test_every_value_has_a_name():
    for kind, names in LABELS.items():
        assert set(names) == {member for member in kind if member}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_of_import_is_named_in_chinese(kind):
    with speak("zh_CN"):
        assert re.search("[\u4e00-\u9fff]", gettext(kind.title))


def test_equal_texts_of_two_enumerations_keep_their_own_names():
    assert State.RECORDED == EventKind.RECORDED
    assert label(State.RECORDED) != label(EventKind.RECORDED)
    assert label(Source.PATROL) != "Source.PATROL"


def test_flags_are_named_one_by_one():
    both = Flag.DEFAULT_COORDINATE | Flag.OUTSIDE_CELLS
    assert flag_labels(both) == [label(Flag.DEFAULT_COORDINATE), label(Flag.OUTSIDE_CELLS)]
    assert flag_labels(0) == []
