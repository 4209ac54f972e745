"""Who brought in an import."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("login_id", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("import", "login_id")
