"""What one transaction changes, seen by listening to its session; no writer has to say anything.

A row is read before it is touched for the first time and once more at the end, so that an entry tells what
the store really holds. Statements that go past the session, which could not be seen, are refused.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sqlalchemy import event, select
from sqlalchemy.orm import object_session

from gridmap.store.base import Base
from gridmap.store.witness import WritingSession
from gridmap.trail.batches import digests_of_batch
from gridmap.trail.decisions import LEFT_OUT_COLUMNS, is_audited
from gridmap.trail.images import images

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Table
    from sqlalchemy.engine import Result
    from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

    from gridmap.trail.images import Image

__all__ = ["WITH_VALUES", "Loaded", "Recorder", "recorder_of"]

WITH_VALUES = 5_000
"""A statement that touches more rows than this is told by ids and digests, without values."""
_AT_ONCE = 500
_RECORDER = "recorder"
_WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+\"?(\w+)", re.IGNORECASE
)


class Loaded:
    """Rows that came in past the mapper: ids and digests of one batch, and the savepoint they stand under."""

    def __init__(
        self, table: Table, ids: NDArray[np.int64], digests: NDArray[np.void], under: object | None
    ) -> None:
        self.table = table
        self.ids = ids
        self.digests = digests
        self.under = under


class Recorder:
    """Sees one transaction.

    Parameters
    ----------
    session
        Its session.
    """

    def __init__(self, session: WritingSession) -> None:
        self._session = session
        self._seen = False
        self._infos: list[Any] = []
        self.closed = False
        """Whether the entry is written, so that the transaction may be committed."""
        self.before: dict[str, dict[int, Image | None]] = defaultdict(dict)
        """What every touched row was, by table; None: it was not there."""
        self.mass: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
        """Ids of rows touched by statements on very many."""
        self.loaded_rows: list[Loaded] = []
        session.info[_RECORDER] = self

    def leave(self) -> None:
        """Stop listening to statements: the connection goes back to where others take it from."""
        for info in self._infos:
            info.pop(_RECORDER, None)

    def began(self, connection: Connection) -> None:
        """Listen to every statement of a connection from now on."""
        connection.info[_RECORDER] = self
        self._infos.append(connection.info)

    @property
    def has_seen(self) -> bool:
        """Whether anything was touched at all."""
        return bool(self.loaded_rows or any(self.before.values()) or any(self.mass.values()))

    def loaded(self, table: Table, batch: pa.RecordBatch) -> None:
        """Take note of rows that are inserted past the mapper."""
        if is_audited(table):
            ids = batch.column("id").to_numpy(zero_copy_only=False).astype(np.int64)
            under = self._session.get_nested_transaction()
            self.loaded_rows.append(Loaded(table, ids, digests_of_batch(table.name, batch), under))

    def created(self, table: Table, ids: Collection[int]) -> None:
        """Take note of rows that are new."""
        known = self.before[table.name]
        for identity in ids:
            known.setdefault(identity, None)

    def touching(self, connection: Connection, table: Table, ids: Collection[int]) -> None:
        """Take note of rows that are about to be changed or deleted."""
        known = self.before[table.name]
        new = [identity for identity in ids if identity not in known]
        if new and self.mass[table.name]:
            new = np.setdiff1d(new, np.concatenate(self.mass[table.name])).tolist()
        if len(new) > WITH_VALUES:
            self.mass[table.name].append(np.array(sorted(new), dtype=np.int64))
        elif new:
            before = images(connection, table, new, lock=True)
            known.update({identity: before.get(identity) for identity in new})

    def deleting(self, connection: Connection, table: Table, ids: Collection[int]) -> None:
        """Take note of rows that are about to be deleted, and of those that go with them."""
        self.touching(connection, table, ids)
        for other in Base.metadata.tables.values():
            for key in other.foreign_keys:
                if key.column.table is table and key.ondelete and is_audited(other):
                    below = _pointing(connection, other.c.id, key.parent, list(ids))
                    if below and key.ondelete.upper() == "CASCADE":
                        self.deleting(connection, other, below)
                    elif below:
                        self.touching(connection, other, below)

    @property
    def expects(self) -> bool:
        """Whether a statement that writes has been seen coming."""
        return self._seen or self._session._flushing  # noqa: SLF001 - there is no public way to ask

    def execute(self, state: ORMExecuteState) -> Result[Any]:
        """Carry out a statement that writes, and take note of the rows it touches."""
        statement = cast("Any", state.statement)
        # The statement's own is a copy with annotations.
        table = Base.metadata.tables[statement.table.name]
        connection = self._session.connection()
        if not state.is_insert:
            self._session.flush()
            ids = self._touched(connection, table, state)
            (self.deleting if state.is_delete else self.touching)(connection, table, ids)
        previous, self._seen = self._seen, True
        try:
            if not state.is_insert:
                return state.invoke_statement()
            return self._insert(table, state)
        finally:
            self._seen = previous

    def _touched(self, connection: Connection, table: Table, state: ORMExecuteState) -> list[int]:
        statement = cast("Any", state.statement)
        if isinstance(state.parameters, list) and not statement._where_criteria:  # noqa: SLF001 - no public way
            return [cast("int", row["id"]) for row in state.parameters]
        query = select(table.c.id).where(*statement._where_criteria)  # noqa: SLF001 - no public way to ask
        several = state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]
        return [identity for values in several for identity in connection.execute(query, values).scalars()]

    def _insert(self, table: Table, state: ORMExecuteState) -> Result[Any]:
        statement = cast("Any", state.statement)
        if statement._returning:  # noqa: SLF001 - no public way to ask
            kept = state.invoke_statement().freeze()
            ids = [_identity(row) for row in kept().all()]
            self.created(table, ids)
            return kept()
        result: Result[Any] = state.invoke_statement(statement.returning(table.c.id))
        self.created(table, result.scalars().all())
        return result

    def undone(self, savepoint: SessionTransaction) -> None:
        """Forget what was loaded under a savepoint that was rolled back."""
        self.loaded_rows = [one for one in self.loaded_rows if one.under is not savepoint]


def _pointing(connection: Connection, identity: Any, column: Any, ids: list[int]) -> list[int]:
    """Ids of rows that refer to any of these."""
    parts = (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
    return [
        one
        for part in parts
        for one in connection.execute(select(identity).where(column.in_(part))).scalars()
    ]


def _identity(row: Any) -> int:
    for value in (row, *row):
        if (identity := getattr(value, "id", None)) is not None:
            return cast("int", identity)
    message = f"Expected an insert that returns the ids of its rows; found {row!r}."
    raise TypeError(message)


def recorder_of(session: Session | None) -> Recorder | None:
    """Return who sees a session; None for one that only reads."""
    return None if session is None else session.info.get(_RECORDER)


@event.listens_for(WritingSession, "do_orm_execute")
def _on_execute(state: ORMExecuteState) -> Any:
    recorder = recorder_of(state.session)
    if recorder is None or not (state.is_insert or state.is_update or state.is_delete):
        return None
    table = getattr(state.statement, "table", None)
    if table is None or not is_audited(table):
        return None
    return recorder.execute(state)


@event.listens_for(WritingSession, "before_flush")
def _before_flush(session: Session, _context: object, _instances: object) -> None:
    recorder = recorder_of(session)
    if recorder is None:
        return
    by_table: dict[Table, set[int]] = defaultdict(set)
    for one in session.dirty:
        table = cast("Table", one.__table__)
        if is_audited(table) and _counts(session, one, table):
            by_table[table].add(one.id)
    for one in session.deleted:
        table = cast("Table", one.__table__)
        if is_audited(table):
            by_table[table].add(one.id)
    for table in sorted(by_table, key=lambda table: table.name):
        recorder.touching(session.connection(), table, by_table[table])


def _counts(session: Session, one: Any, table: Table) -> bool:
    """Whether an object has a change of a column that counts, or of what belongs to it."""
    if not session.is_modified(one):
        return False
    state = one._sa_instance_state  # noqa: SLF001 - the mapper's own name for it
    return any((table.name, name) not in LEFT_OUT_COLUMNS for name in state.committed_state)


@event.listens_for(Base, "after_insert", propagate=True)
def _after_insert(_mapper: object, _connection: Connection, target: Any) -> None:
    recorder = recorder_of(object_session(target))
    if recorder is not None and is_audited(target.__table__):
        recorder.created(target.__table__, [target.id])


@event.listens_for(Base, "before_update", propagate=True)
def _before_update(_mapper: object, connection: Connection, target: Any) -> None:
    session = object_session(target)
    recorder = recorder_of(session)
    table = target.__table__
    if recorder is not None and session is not None and is_audited(table) and _counts(session, target, table):
        recorder.touching(connection, table, [target.id])


@event.listens_for(Base, "before_delete", propagate=True)
def _before_delete(_mapper: object, connection: Connection, target: Any) -> None:
    recorder = recorder_of(object_session(target))
    if recorder is not None and is_audited(target.__table__):
        recorder.deleting(connection, target.__table__, [target.id])


@event.listens_for(WritingSession, "after_begin")
def _after_begin(session: Session, _transaction: object, connection: Connection) -> None:
    recorder = recorder_of(session)
    if recorder is not None:
        recorder.began(connection)


@event.listens_for(WritingSession, "before_commit")
def _before_commit(session: Session) -> None:
    recorder = recorder_of(session)
    if recorder is not None and not recorder.closed and not session.in_nested_transaction():
        message = "Expected the edge to commit, which writes the trail; a use case never does."
        raise RuntimeError(message)


@event.listens_for(WritingSession, "after_soft_rollback")
def _after_rollback(session: Session, previous: SessionTransaction) -> None:
    recorder = recorder_of(session)
    if recorder is not None:
        recorder.undone(previous)


def refuse_unseen(
    connection: Connection, _cursor: object, statement: str, _values: object, _context: object, _many: object
) -> None:
    """Refuse a statement that writes an audited table past the session; for an engine's listeners."""
    recorder = connection.info.get(_RECORDER)
    if recorder is None or recorder.expects:
        return
    for name in _WRITES.findall(statement):
        table = Base.metadata.tables.get(name)
        if table is not None and is_audited(table):
            message = (
                f"Expected changes of {name} through the session, which keeps the trail; found {statement}"
            )
            raise RuntimeError(message)
