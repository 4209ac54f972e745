"""The clock of everything on the map except problems, moved by triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOVED_BY = {
    "ground": (
        "area",
        "category",
        "grid_cell",
        "inspection_point",
        "organisation",
        "person",
        "priority_road",
        "responsibility",
    ),
    "base": ("area", "building", "inspection_point", "street", "surface"),
    "access": ("grant", "login", "person"),
}


def upgrade() -> None:
    op.create_table(
        "ground_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("access", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ground_clock")),
    )
    # Rows that are there already count as one change.
    op.execute("INSERT INTO ground_clock (id, ground, base, access) VALUES (1, 1, 1, 1)")
    make = _make_postgresql if op.get_bind().dialect.name == "postgresql" else _make_sqlite
    for hand, tables in MOVED_BY.items():
        make(hand, tables)


def _make_postgresql(hand: str, tables: tuple[str, ...]) -> None:
    op.execute(
        f"CREATE FUNCTION move_{hand}_clock() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN UPDATE ground_clock SET {hand} = {hand} + 1; RETURN NULL; END $$"
    )
    for table in tables:
        op.execute(
            f'CREATE TRIGGER move_{hand}_clock AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION move_{hand}_clock()"
        )


def _make_sqlite(hand: str, tables: tuple[str, ...]) -> None:
    for table in tables:
        for event in ("INSERT", "UPDATE", "DELETE"):
            op.execute(
                f'CREATE TRIGGER move_{hand}_clock_{table}_{event.lower()} AFTER {event} ON "{table}" '
                f"BEGIN UPDATE ground_clock SET {hand} = {hand} + 1; END"
            )


def downgrade() -> None:
    for hand, tables in MOVED_BY.items():
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP FUNCTION move_{hand}_clock() CASCADE")
            continue
        for table in tables:
            for event in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER move_{hand}_clock_{table}_{event}")
    op.drop_table("ground_clock")
