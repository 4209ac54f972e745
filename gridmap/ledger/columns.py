"""The columns of the ledger as one table: what each is called, how wide it is, whether it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.language import N_, current_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["COLUMNS", "USUAL", "Column", "Kind", "chosen"]


class Kind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `back`: what is changed in it is taken over when the ledger comes back; `elsewhere`: where it is changed
    if it is not.
    """

    name: str
    english: str
    chinese: str
    width: int
    kind: Kind = Kind.TEXT
    back: bool = False
    elsewhere: str = ""

    @property
    def title(self) -> str:
        """Heading in the language in force."""
        return self.english if current_language() == "en" else self.chinese


_RECORD = N_("put the record right on the problem's page, before it is dispatched")
_PLACE = N_("follows from its place: put that right on the problem's page, before it is dispatched")
_DISPATCH = N_("dispatch it on the problem's page, or many in the list of problems")
_PEOPLE = N_("change the phone number in the list of people")
_HISTORY = N_("follows from its history and is written by nobody")

_TABLE = (
    Column("number", "Number", "问题编号", 10, Kind.NUMBER, elsewhere=_HISTORY),
    Column("category", "Category", "问题类别", 16, elsewhere=_RECORD),
    Column("major", "Major category", "问题大类", 14, elsewhere=_RECORD),
    Column("description", "Description", "问题描述", 36, back=True),
    Column("address", "Address", "地点", 26, back=True),
    Column("district", "District", "区县", 14, elsewhere=_PLACE),
    Column("subdistrict", "Subdistrict", "街道", 14, elsewhere=_PLACE),
    Column("community", "Community", "社区", 16, elsewhere=_PLACE),
    Column("cell", "Grid cell", "网格", 18, elsewhere=_PLACE),
    Column("road", "Priority road", "重点路段", 16, elsewhere=_PLACE),
    Column("organisation", "Organisation", "责任单位", 22, elsewhere=_DISPATCH),
    Column("person", "Responsible person", "责任人", 10, elsewhere=_DISPATCH),
    Column("phone", "Phone", "联系电话", 14, elsewhere=_PEOPLE),
    Column("source", "Source", "问题来源", 10, elsewhere=_HISTORY),
    Column("found_at", "Found", "发现时间", 17, Kind.TIME, elsewhere=_HISTORY),
    Column("dispatched_at", "Dispatched", "派遣时间", 17, Kind.TIME, elsewhere=_HISTORY),
    Column("fix_due_at", "Limit", "整改时限", 17, Kind.TIME, elsewhere=_HISTORY),
    Column("fixed_at", "Fixed", "整改完成时间", 17, Kind.TIME, elsewhere=_HISTORY),
    Column("closed_at", "Closed", "结案时间", 17, Kind.TIME, elsewhere=_HISTORY),
    Column("state", "State", "办理状态", 14, back=True),
    Column("opinion", "Reason or remark of the step", "办理意见", 24, back=True),
    Column("on_time", "In time", "是否按期", 9, elsewhere=_HISTORY),
    Column("overdue", "Overdue", "是否超期", 9, elsewhere=_HISTORY),
    Column("rework", "Reworked", "返工次数", 9, Kind.NUMBER, elsewhere=_HISTORY),
    Column("recurring", "Recurring", "是否复发", 9, elsewhere=_HISTORY),
    Column("remark", "Remark", "备注", 28, back=True),
    Column("funding", "Funding needed (10,000 yuan)", "资金需求（万元）", 12, Kind.MONEY, back=True),
    Column("lon", "Longitude", "经度", 12, Kind.NUMBER, elsewhere=_PLACE),
    Column("lat", "Latitude", "纬度", 12, Kind.NUMBER, elsewhere=_PLACE),
    Column("photo_before", "Photo before", "整改前照片", 22, Kind.PHOTO),
    Column("photo_after", "Photo after", "整改后照片", 22, Kind.PHOTO),
)

COLUMNS: Mapping[str, Column] = MappingProxyType({column.name: column for column in _TABLE})
"""Every column, in the order in which they stand."""

USUAL = (
    "number",
    "category",
    "description",
    "address",
    "subdistrict",
    "community",
    "organisation",
    "person",
    "phone",
    "source",
    "found_at",
    "fix_due_at",
    "state",
    "opinion",
    "fixed_at",
    "closed_at",
    "on_time",
    "rework",
    "remark",
)
"""What offices keep, until somebody chooses."""


def chosen(names: Iterable[str]) -> list[Column]:
    """Columns of some names in their order, unknown names left out; the number is always among them."""
    wanted = {*names, "number"}
    return [column for column in _TABLE if column.name in wanted]
