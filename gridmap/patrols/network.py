"""The street network of a store: streets, what may be done on them, and ways along them."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
from sqlalchemy import select

from geodata.errors import FormatError
from geodata.street_graph import StreetGraph, build_street_graph
from geodata.street_router import Router
from geodata.travel import Profile
from geodata.turns import TurnRule
from gridmap.errors import NotFoundError
from gridmap.places.models import RoadRule, Street
from gridmap.store.clock import read_clocks
from gridmap.store.extract import read_sorted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

__all__ = ["Network", "NetworkKeeper", "read_network"]


class Network:
    """The streets as they were at one moment, and routers on them, made when first asked for.

    Parameters
    ----------
    graph
        The streets.
    """

    def __init__(self, graph: StreetGraph) -> None:
        self.graph = graph
        self._routers: dict[tuple[Profile, bool], Router] = {}
        self._lock = threading.Lock()

    def router(self, profile: Profile = Profile.FOOT) -> Router:
        """Ways for a profile.

        Raises
        ------
        geodata.errors.GeometryError
            If no street is open to it.
        """
        return self._router(profile, by_length=False)

    def measure(self, profile: Profile) -> Router:
        """Ways for a profile by their length, in metres: what tracks are matched with."""
        return self._router(profile, by_length=True)

    def _router(self, profile: Profile, *, by_length: bool) -> Router:
        with self._lock:
            key = (profile, by_length)
            if key not in self._routers:
                self._routers[key] = Router(self.graph, profile, by_length=by_length)
            return self._routers[key]


class NetworkKeeper:
    """Opens the network of a store, and keeps it in memory and in a folder until the streets change.

    One per process, safe to ask from many threads.

    Parameters
    ----------
    folder
        For copies, shared by all processes; made when missing. It can be removed at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: tuple[int, str, Network] | None = None

    def open(self, session: Session) -> Network:
        """Return the network as of what `session` reads.

        Raises
        ------
        NotFoundError
            If the store has no streets.
        """
        base = read_clocks(session).base
        with self._lock:
            if self._kept is not None and self._kept[0] == base:
                return self._kept[2]
            streets = _Streets.read(session)
            # The clock moves for buildings and areas too, and a database may be put back; only the streets
            # themselves vouch for a copy.
            state = streets.digest()
            if self._kept is not None and self._kept[1] == state:
                network = self._kept[2]
            else:
                network = Network(self._stored(state) or self._built(streets, state))
            self._kept = (base, state, network)
            return network

    def _stored(self, state: str) -> StreetGraph | None:
        try:
            return StreetGraph.load(self._folder / f"{state}.npz")
        except FormatError:
            return None

    def _built(self, streets: _Streets, state: str) -> StreetGraph:
        graph = streets.graph()
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{state}.npz"
        graph.save(file)
        for other in self._folder.glob("*.npz"):
            if other != file:
                other.unlink(missing_ok=True)
        return graph


def read_network(session: Session) -> Network:
    """Build the network from the streets of a store, for a command that needs it once.

    Raises
    ------
    NotFoundError
        If there are no streets.
    """
    return Network(_Streets.read(session).graph())


@dataclass(frozen=True, slots=True)
class _Streets:
    """Streets and their rules as the store holds them, by column."""

    columns: dict[str, NDArray[Any]]
    rules: dict[str, NDArray[Any]]

    @classmethod
    def read(cls, session: Session) -> _Streets:
        street = (Street.id, Street.source_ref, Street.name, Street.road_class, Street.oneway, Street.tags)
        columns = read_sorted(session, select(*street, Street.geometry), Street.id)
        if not len(columns["geometry"]):
            raise NotFoundError(
                "There is no street network yet. Import an OpenStreetMap file with its streets first."
            )
        rule = (RoadRule.id, RoadRule.kind, RoadRule.lon, RoadRule.lat, RoadRule.profiles)
        streets = (RoadRule.from_ref, RoadRule.to_ref, RoadRule.via_refs)
        return cls(columns, read_sorted(session, select(*rule, *streets), RoadRule.id))

    def digest(self) -> str:
        seen = hashlib.blake2b(digest_size=12)
        for name, values in (*self.columns.items(), *self.rules.items()):
            said = shapely.to_wkb(values).tolist() if name == "geometry" else values.tolist()
            seen.update(repr((name, said)).encode())
        return seen.hexdigest()

    def graph(self) -> StreetGraph:
        return build_street_graph(
            self.columns["geometry"],
            road_class=self.columns["road_class"],
            oneway=self.columns["oneway"],
            ref=self.columns["source_ref"],
            name=self.columns["name"],
            tags=[json.loads(text) if text else {} for text in self.columns["tags"].tolist()],
            rules=[
                TurnRule(
                    kind=row["kind"],
                    lon=row["lon"],
                    lat=row["lat"],
                    profiles=frozenset(map(Profile, row["profiles"].split())),
                    from_ref=row["from_ref"],
                    to_ref=row["to_ref"],
                    via_refs=tuple(row["via_refs"].split()),
                )
                for row in pd.DataFrame(self.rules).to_dict("records")
            ],
        )
