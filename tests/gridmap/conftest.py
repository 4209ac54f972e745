"""Bringing files in as a user would, on both stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from gridmap.config import Settings
from gridmap.imports.plan import ImportOptions, Plan, Writer
from gridmap.imports.service import apply_import, plan_import
from gridmap.imports.undoing import undo_import
from gridmap.jobs import silent
from gridmap.people.permissions import Actor
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    import uuid
    from pathlib import Path

    from sqlalchemy.engine import Engine

NOW = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)


@dataclass
class Importer:
    engine: Engine
    settings: Settings
    now: datetime = NOW

    def _writer(self, session: Any, options: dict[str, Any]) -> Writer:
        stated = {"datum": "wgs84", "zone": ZoneInfo("Asia/Shanghai")} | options
        return Writer(
            session=session,
            actor=Actor.owner(),
            now=self.now,
            options=ImportOptions(**stated),
            progress=silent,
            settings=self.settings,
        )

    def plan(self, kind: str, file: Path, **options: Any) -> Plan:
        with reading(self.engine) as session:
            return plan_import(file, kind, self._writer(session, options))

    def apply(self, kind: str, file: Path, **options: Any) -> uuid.UUID:
        with writing(self.engine) as session:
            record, _ = apply_import(file, kind, self._writer(session, options))
            return record.uid

    def undo(self, uid: uuid.UUID) -> None:
        with writing(self.engine) as session:
            undo_import(session, Actor.owner(), uid, settings=self.settings, now=self.now)


@pytest.fixture
def importer(engine: Engine, tmp_path: Path) -> Importer:
    return Importer(engine, Settings(data_dir=tmp_path))
