"""What a server keeps in memory to answer quickly: names, problems, and the views last asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from gridmap.hotspots.live import LiveSnapshot
from gridmap.hotspots.view import View, ViewFilter, open_view
from gridmap.places.directory import Directory, DirectoryKeeper
from gridmap.store.clock import Clocks, read_clocks
from gridmap.store.engine import reading

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Scope

__all__ = ["MapReader"]

_KEPT_VIEWS = 24
_KEPT_ROWS = 20_000_000


class MapReader:
    """Reads problems for maps and lists; one per server process, safe to ask from many threads.

    Parameters
    ----------
    engine
        The store.
    folder
        For copies of the snapshot.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._directories = DirectoryKeeper()
        self._live = LiveSnapshot(engine, folder)
        self._views: OrderedDict[Any, View] = OrderedDict()
        self._lock = threading.Lock()

    def directory(self, session: Session, clocks: Clocks) -> Directory:
        """Names as of the clocks that `session` read."""
        return self._directories.at(session, clocks.ground)

    def view(
        self, session: Session, clocks: Clocks, asked: ViewFilter, *, scope: Scope, now: datetime
    ) -> View:
        """Open a view on problems as of the clocks that `session` read.

        Raises
        ------
        InvalidValueError
            If the filter names what there is not, or what lies out of sight.
        """
        snapshot = self._live.at(clocks.change)
        view = open_view(
            asked, snapshot=snapshot, directory=self.directory(session, clocks), scope=scope, now=now
        )
        key = (snapshot.change, clocks.ground, asked, scope, view.moment)
        with self._lock:
            known = self._views.get(key)
            if known is not None and known.snapshot is snapshot:
                self._views.move_to_end(key)
                return known
            self._views[key] = view
            # Views of an older snapshot would keep it in memory.
            for old in [k for k, v in self._views.items() if v.snapshot is not snapshot]:
                del self._views[old]
            most = max(min(_KEPT_VIEWS, _KEPT_ROWS // max(len(snapshot), 1)), 2)
            while len(self._views) > most:
                self._views.popitem(last=False)
        return view

    def warm(self) -> None:
        """Read everything ahead of the first request."""
        with reading(self._engine) as session:
            clocks = read_clocks(session)
            self.directory(session, clocks)
        self._live.at(clocks.change)
