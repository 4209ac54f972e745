"""Lines of histories by when the store learnt of them."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_recorded_at", "event", ["recorded_at"])


def downgrade() -> None:
    op.drop_index("ix_event_recorded_at", "event")
