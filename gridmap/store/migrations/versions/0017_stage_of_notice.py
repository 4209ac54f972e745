"""In which state a notice named a problem."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice_item", sa.Column("state", sa.String(24)))


def downgrade() -> None:
    op.drop_column("notice_item", "state")
