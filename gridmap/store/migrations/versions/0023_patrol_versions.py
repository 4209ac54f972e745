"""Versions of patrol plans, what they were asked for, and which task each visit is."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("patrol_plan", sa.Column("version", sa.SmallInteger(), nullable=False, server_default="1")),
    ("patrol_plan", sa.Column("wish", sa.JSON())),
    ("patrol_plan", sa.Column("changes", sa.JSON())),
    ("patrol_route", sa.Column("unit", sa.SmallInteger(), nullable=False, server_default="0")),
    ("patrol_visit", sa.Column("key", sa.String(80), nullable=False, server_default="")),
    ("patrol_visit", sa.Column("mode", sa.SmallInteger(), nullable=False, server_default="0")),
)


def upgrade() -> None:
    # SQLite takes a constraint only together with its column.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE patrol_plan ADD COLUMN first_id {kind} "
        "CONSTRAINT fk_patrol_plan_first_id REFERENCES patrol_plan(id)"
    )
    for table, column in _COLUMNS:
        op.add_column(table, column)
    op.create_index(op.f("ix_patrol_plan_first_id"), "patrol_plan", ["first_id"])
    op.create_index("uq_patrol_plan_first_id_version", "patrol_plan", ["first_id", "version"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_patrol_plan_first_id_version", "patrol_plan")
    op.drop_index(op.f("ix_patrol_plan_first_id"), "patrol_plan")
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
    op.drop_column("patrol_plan", "first_id")
