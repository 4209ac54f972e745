"""Look-back samples and their checks."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def _identified(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{name}_uid")),
    )


def _key(table: str, column: str, target: str, *, null: bool = True) -> tuple[sa.Column, sa.Constraint]:
    return (
        sa.Column(column, _ID, nullable=null),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")),
    )


def upgrade() -> None:
    _identified(
        "look_back_sample",
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("closed_from", _TIME, nullable=False),
        sa.Column("closed_until", _TIME, nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    task = "check_task"
    _identified(
        task,
        *_key(task, "sample_id", "look_back_sample", null=False),
        *_key(task, "problem_id", "problem", null=False),
        *_key(task, "person_id", "person"),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME),
        sa.Column("result", sa.String(24)),
        sa.Column("done_by", sa.String(100)),
        *_key(task, "batch_id", "batch"),
        sa.UniqueConstraint("sample_id", "problem_id", name="uq_check_task"),
    )
    for column in ("sample_id", "problem_id", "person_id", "batch_id"):
        op.create_index(f"ix_{task}_{column}", task, [column])


def downgrade() -> None:
    op.drop_table("check_task")
    op.drop_table("look_back_sample")
