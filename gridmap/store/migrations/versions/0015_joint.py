"""Joint operations."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_NAMES = {
    "joint_operation": ("area_id", "organisation_id"),
    "joint_participant": ("operation_id", "organisation_id"),
    "joint_problem": ("operation_id", "problem_id"),
    "joint_result": ("operation_id",),
}


def _identified(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{name}_uid")),
    )
    for column in _NAMES[name]:
        op.create_index(f"ix_{name}_{column}", name, [column])


def _key(table: str, column: str, target: str) -> tuple[sa.Column, sa.Constraint]:
    return (
        sa.Column(column, _ID, nullable=False),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")),
    )


def upgrade() -> None:
    _identified(
        "joint_operation",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        *_key("joint_operation", "area_id", "area"),
        *_key("joint_operation", "organisation_id", "organisation"),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    _identified(
        "joint_participant",
        *_key("joint_participant", "operation_id", "joint_operation"),
        *_key("joint_participant", "organisation_id", "organisation"),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.UniqueConstraint("operation_id", "organisation_id", name="uq_joint_participant"),
    )
    _identified(
        "joint_problem",
        *_key("joint_problem", "operation_id", "joint_operation"),
        *_key("joint_problem", "problem_id", "problem"),
        sa.UniqueConstraint("operation_id", "problem_id", name="uq_joint_problem"),
    )
    _identified(
        "joint_result",
        *_key("joint_result", "operation_id", "joint_operation"),
        sa.Column("what", sa.String(100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )


def downgrade() -> None:
    for name in reversed(_NAMES):
        op.drop_table(name)
