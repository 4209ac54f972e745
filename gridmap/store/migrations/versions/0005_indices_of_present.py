"""Indices of references that most rows do not have hold only those that have them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("problem", "road_id"),
    ("problem", "person_id"),
    ("problem", "import_id"),
    ("event", "batch_id"),
    ("event", "import_id"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        name, present = f"ix_{table}_{column}", sa.text(f"{column} IS NOT NULL")
        op.drop_index(name, table)
        op.create_index(name, table, [column], postgresql_where=present, sqlite_where=present)


def downgrade() -> None:
    for table, column in _COLUMNS:
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_{column}", table, [column])
