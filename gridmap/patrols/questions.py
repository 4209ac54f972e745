"""Questions of plans that are being changed, kept in memory while somebody works on one."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.patrols.planner import Asked, ask
from gridmap.patrols.wishes import from_json
from gridmap.store.clock import read_clocks

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from gridmap.patrols.models import PatrolPlan
    from gridmap.patrols.network import NetworkKeeper
    from gridmap.people.permissions import Actor

__all__ = ["QuestionKeeper"]

_MOST = 3
"""Each may take a hundred megabytes."""


class QuestionKeeper:
    """Poses the question of a plan again, and remembers the last ones until the store changes.

    One per process, safe to ask from many threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Asked] = OrderedDict()

    def open(
        self,
        session: Session,
        actor: Actor,
        plan: PatrolPlan,
        *,
        network: NetworkKeeper,
        zone: ZoneInfo,
        now: datetime,
    ) -> Asked:
        """Return the question that a plan answers, as things are now.

        Raises
        ------
        InvalidValueError
            If the plan does not say what was asked for.
        gridmap.errors.GridmapError
            As `ask` does.
        """
        if plan.wish is None:
            raise InvalidValueError(
                "This plan was made before plans could be changed. Plan these patrols again.",
                parameter="plan",
            )
        key = (json.dumps(plan.wish, sort_keys=True), actor, read_clocks(session))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        streets, wish = network.open(session), from_json(plan.wish)
        asked = ask(session, actor, wish, network=streets, zone=zone, now=now, again=True)
        with self._lock:
            self._kept[key] = asked
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return asked
