"""What is worked out from the ground, remembered until the ground changes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import select

from gridmap.store.clock import GroundClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

__all__ = ["Remembered"]

T = TypeVar("T")
# Asked several times for each report: without the mapper it takes a third of the time.
_CLOCK = select(GroundClock.__table__.c.ground)


class Remembered(Generic[T]):
    """The latest few results, by what they were worked out for; safe to ask from many threads.

    Parameters
    ----------
    most
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Any, ...], T] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, wanted: tuple[Any, ...], load: Callable[[], T]) -> T:
        """Return what `load` gives, from memory while nothing on the ground has changed.

        Parameters
        ----------
        session
            Any; within a transaction that changes the ground its own changes count.
        wanted
            What tells one result from another.
        load
            Works it out within `session`.
        """
        clock = session.connection().execute(_CLOCK).scalar_one()
        key = (str(session.get_bind().engine.url), clock, *wanted)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        result = load()
        with session.get_bind().engine.execution_options(gridmap_write=False).connect() as other:
            committed = other.execute(_CLOCK).scalar_one()
        if committed == clock:  # else the change is this transaction's own and may yet be rolled back
            with self._lock:
                self._kept[key] = result
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return result
