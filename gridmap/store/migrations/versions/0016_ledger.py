"""Notes beside problems, the columns somebody chose, and edited ledgers that were taken over."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def _identified(name: str) -> tuple[sa.Column | sa.Constraint, ...]:
    return (
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{name}_uid")),
    )


def upgrade() -> None:
    op.create_table(
        "ledger_note",
        *_identified("ledger_note"),
        sa.Column("problem_id", _ID, nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("funding", sa.Double()),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name=op.f("fk_ledger_note_problem_id")),
        sa.UniqueConstraint("problem_id", name=op.f("uq_ledger_note_problem_id")),
    )
    op.create_table(
        "ledger_choice",
        *_identified("ledger_choice"),
        sa.Column("login_id", _ID, nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["login_id"], ["login.id"], name=op.f("fk_ledger_choice_login_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("login_id", name=op.f("uq_ledger_choice_login_id")),
    )
    op.create_table(
        "ledger_revision",
        *_identified("ledger_revision"),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("login_id", _ID),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("undone_at", _TIME),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("batches", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_ledger_revision_login_id")),
    )


def downgrade() -> None:
    for name in ("ledger_revision", "ledger_choice", "ledger_note"):
        op.drop_table(name)
