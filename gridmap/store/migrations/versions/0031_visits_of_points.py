"""How often a point is gone to, in which hours and for how long, where it differs from the others."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("visit_hours", sa.String(100), nullable=False, server_default=""),
    sa.Column("visit_rhythm", sa.String(8), nullable=False, server_default=""),
    sa.Column("visit_minutes", sa.SmallInteger()),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("inspection_point", column)


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        op.drop_column("inspection_point", column.name)
