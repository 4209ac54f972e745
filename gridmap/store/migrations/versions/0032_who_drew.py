"""Who drew a sample of closed problems.

Samples that are there are told in `gridmap.look_back.drawers`, within the trail.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("look_back_sample", sa.Column("login_id", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("look_back_sample", "login_id")
