"""Shares of lines and polygons in cells."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    table = "problem_cell"
    op.create_table(
        table,
        sa.Column("problem_id", _ID, nullable=False),
        sa.Column("cell_id", _ID, nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
            )
            for column, target in (("problem_id", "problem"), ("cell_id", "grid_cell"))
        ),
        sa.PrimaryKeyConstraint("problem_id", "cell_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_cell_id", table, ["cell_id"])


def downgrade() -> None:
    op.drop_table("problem_cell")
