"""Whatever the trail can tell of has a name in the field's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gridmap.labels import LABELS
from gridmap.language import speak
from gridmap.store.tables import metadata
from gridmap.trail.canon import form_of
from gridmap.trail.decisions import audited_tables
from gridmap.trail.names import COLUMNS, SPECIAL, TABLES
from gridmap.trail.words import column_name, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator

ALIKE = frozenset({"SHA-256"})
"""Names that are the same in every language."""


def told_of() -> Iterator[tuple[str, str]]:
    """Every column that a line can tell of: those of the form from which lines are written."""
    for table in audited_tables():
        for field in form_of(table.name).fields:
            yield table.name, field.name


def test_every_audited_table_has_a_chinese_name():
    with speak("zh_CN"):
        nameless = [table.name for table in audited_tables() if not _is_chinese(table_name(table.name))]
    assert nameless == []


def test_every_column_that_a_line_can_tell_of_has_a_chinese_name():
    with speak("zh_CN"):
        nameless = [one for one in told_of() if not _is_chinese(column_name(*one))]
    assert nameless == []


def test_every_enumeration_that_a_line_can_tell_of_has_names():
    kinds = {
        getattr(metadata.tables[table].c[column].type, "enum_class", None) for table, column in told_of()
    }
    assert kinds - {None} - set(LABELS) == set()


def test_no_name_is_left_over():
    columns = set(told_of())
    assert set(TABLES) <= {table.name for table in audited_tables()}
    assert set(SPECIAL) <= columns
    assert set(COLUMNS) <= {column for _, column in columns}


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_no_two_columns_of_a_table_have_the_same_name(language):
    with speak(language):
        for table in audited_tables():
            names = [column_name(table.name, field.name) for field in form_of(table.name).fields]
            assert sorted(names) == sorted(set(names)), table.name


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_no_two_tables_have_the_same_name(language):
    with speak(language):
        names = [table_name(table.name) for table in audited_tables()]
    assert sorted(names) == sorted(set(names))


def _is_chinese(text: str) -> bool:
    return text in ALIKE or re.search("[\u4e00-\u9fff]", text) is not None
