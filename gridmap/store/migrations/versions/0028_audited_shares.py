"""Shares of lines and polygons in cells have an id, by which the trail names them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OTHERS = "problem_id, cell_id, share, leads"


def _create(*key: str) -> None:
    identity = [] if key else [sa.Column("id", _ID, nullable=False)]
    op.create_table(
        "problem_cell",
        *identity,
        sa.Column("problem_id", _ID, nullable=False),
        sa.Column("cell_id", _ID, nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=op.f(f"fk_problem_cell_{column}"), ondelete="CASCADE"
            )
            for column, target in (("problem_id", "problem"), ("cell_id", "grid_cell"))
        ),
        sa.PrimaryKeyConstraint(*(key or ["id"]), name=op.f("pk_problem_cell")),
        *([] if key else [sa.UniqueConstraint("problem_id", "cell_id", name=op.f("uq_problem_cell"))]),
    )
    op.create_index("ix_problem_cell_cell_id", "problem_cell", ["cell_id"])


def _anew(*key: str) -> None:
    """Make the table with another key and the same rows; SQLite cannot change the key of one."""
    op.execute(f"CREATE TEMPORARY TABLE shares_kept AS SELECT {_OTHERS} FROM problem_cell")
    op.drop_table("problem_cell")
    _create(*key)
    op.execute(
        f"INSERT INTO problem_cell ({_OTHERS}) SELECT {_OTHERS} FROM shares_kept ORDER BY problem_id, cell_id"
    )
    op.execute("DROP TABLE shares_kept")


def upgrade() -> None:
    _anew()


def downgrade() -> None:
    _anew("problem_id", "cell_id")
