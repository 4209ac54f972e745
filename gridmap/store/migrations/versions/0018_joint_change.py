"""The history of joint operations."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "joint_change",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("operation_id", _ID, nullable=False),
        sa.Column("what", sa.String(24), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_change")),
        sa.UniqueConstraint("uid", name=op.f("uq_joint_change_uid")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["joint_operation.id"], name=op.f("fk_joint_change_operation_id")
        ),
    )
    op.create_index(op.f("ix_joint_change_operation_id"), "joint_change", ["operation_id"])


def downgrade() -> None:
    op.drop_table("joint_change")
