"""The columns of the ledger as one table: what each is called, how wide it is, whether it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.language import current_language

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
    """One column. `back`: what is changed in it is taken over when the ledger comes back."""

    name: str
    english: str
    chinese: str
    width: int
    kind: Kind = Kind.TEXT
    back: bool = False

    @property
    def title(self) -> str:
        """Heading in the language in force."""
        return self.english if current_language() == "en" else self.chinese


_TABLE = (
    Column("number", "Number", "问题编号", 10, Kind.NUMBER),
    Column("category", "Category", "问题类别", 16),
    Column("major", "Major category", "问题大类", 14),
    Column("description", "Description", "问题描述", 36, back=True),
    Column("address", "Address", "地点", 26, back=True),
    Column("district", "District", "区县", 14),
    Column("subdistrict", "Subdistrict", "街道", 14),
    Column("community", "Community", "社区", 16),
    Column("cell", "Grid cell", "网格", 18),
    Column("road", "Priority road", "重点路段", 16),
    Column("organisation", "Organisation", "责任单位", 22),
    Column("person", "Responsible person", "责任人", 10),
    Column("phone", "Phone", "联系电话", 14),
    Column("source", "Source", "问题来源", 10),
    Column("found_at", "Found", "发现时间", 17, Kind.TIME),
    Column("dispatched_at", "Dispatched", "派遣时间", 17, Kind.TIME),
    Column("fix_due_at", "Limit", "整改时限", 17, Kind.TIME),
    Column("fixed_at", "Fixed", "整改完成时间", 17, Kind.TIME),
    Column("closed_at", "Closed", "结案时间", 17, Kind.TIME),
    Column("state", "State", "办理状态", 14, back=True),
    Column("opinion", "Reason or remark of the step", "办理意见", 24, back=True),
    Column("on_time", "In time", "是否按期", 9),
    Column("overdue", "Overdue", "是否超期", 9),
    Column("rework", "Reworked", "返工次数", 9, Kind.NUMBER),
    Column("recurring", "Recurring", "是否复发", 9),
    Column("remark", "Remark", "备注", 28, back=True),
    Column("funding", "Funding needed (10,000 yuan)", "资金需求（万元）", 12, Kind.MONEY, back=True),
    Column("lon", "Longitude", "经度", 12, Kind.NUMBER),
    Column("lat", "Latitude", "纬度", 12, Kind.NUMBER),
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
