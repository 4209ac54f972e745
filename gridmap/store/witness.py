"""What the store tells whoever keeps the trail; `gridmap.trail.keeper` is who does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from sqlalchemy import Connection, Table

__all__ = ["Keeper", "Witness", "WritingSession", "about_to_change", "set_witness", "watched"]

_WITNESS = "witness"


class WritingSession(Session):
    """A session of one unit of work; whoever keeps the trail listens to it."""


class Witness(Protocol):
    """Sees what one transaction changes."""

    def loaded(self, table: Table, batch: pa.RecordBatch) -> None:
        """Take note of rows that are inserted past the mapper, with their ids, as `as_arrow` makes them."""

    def touching(self, connection: Connection, table: Table, ids: Collection[int]) -> None:
        """Take note of rows that are about to be changed or deleted."""

    def close(self) -> None:
        """Write what was seen, last in the transaction."""

    def committed(self) -> None:
        """Be told that it is durable."""


class Keeper(Protocol):
    """Keeps the trail of one installation."""

    def watch(self, session: WritingSession) -> AbstractContextManager[Witness]:
        """See what a session changes from now on."""

    def refuse_unseen(  # noqa: PLR0917 - the listener's signature
        self,
        connection: Connection,
        cursor: object,
        statement: str,
        parameters: object,
        context: object,
        executemany: object,
    ) -> None:
        """Listen to every statement, and refuse one whose changes nobody would see."""


def set_witness(session: Session, witness: Witness) -> None:
    """Say who sees what a session does."""
    session.info[_WITNESS] = witness


def watched(session: Session, table: Table, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass batches on, having shown each to whoever keeps the trail."""
    witness = cast("Witness | None", session.info.get(_WITNESS))
    for batch in batches:
        if witness is not None:
            witness.loaded(table, batch)
        yield batch


def about_to_change(session: Session, table: Table, ids: Collection[int]) -> None:
    """Show rows that are changed past the mapper to whoever keeps the trail, before they are."""
    witness = cast("Witness | None", session.info.get(_WITNESS))
    if witness is not None:
        witness.touching(session.connection(), table, ids)
