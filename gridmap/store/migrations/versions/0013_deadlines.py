"""Limits under conditions, the table of steps after a limit, notices, reminders, accountability."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
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
        "time_limit",
        sa.Column("position", sa.Integer(), nullable=False),
        *_key("time_limit", "category_id", "category", null=False),
        *_key("time_limit", "area_id", "area"),
        sa.Column("road_level", sa.SmallInteger()),
        sa.Column("hours", sa.String(100), nullable=False),
        sa.Column("least_severity", sa.SmallInteger()),
        sa.Column("time_allowed", sa.Integer(), nullable=False),
        sa.Column("time_unit", sa.String(24), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
    )
    op.create_index("ix_time_limit_category_id", "time_limit", ["category_id"])
    op.create_index("ix_time_limit_area_id", "time_limit", ["area_id"])
    _identified(
        "escalation_step",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("wait", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(24), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
    )
    _identified(
        "notice",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_key("notice", "organisation_id", "organisation", null=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("issued_at", _TIME, nullable=False),
        sa.Column("issued_by", sa.String(100), nullable=False),
        sa.Column("answer_by", _TIME),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", _TIME),
        sa.Column("answered_by", sa.String(100)),
        sa.UniqueConstraint("kind", "year", "number", name="uq_notice_number"),
    )
    op.create_index("ix_notice_organisation_id", "notice", ["organisation_id"])
    op.create_index("ix_notice_issued_at", "notice", ["issued_at"])
    op.create_table(
        "notice_item",
        sa.Column("id", _ID, nullable=False),
        *_key("notice_item", "notice_id", "notice", null=False),
        *_key("notice_item", "problem_id", "problem", null=False),
        sa.Column("due_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_item")),
        sa.UniqueConstraint("notice_id", "problem_id", name="uq_notice_item"),
    )
    op.create_index("ix_notice_item_problem_id", "notice_item", ["problem_id"])
    _identified(
        "reminder",
        sa.Column("kind", sa.String(24), nullable=False),
        *_key("reminder", "person_id", "person"),
        *_key("reminder", "organisation_id", "organisation"),
        sa.Column("sent_at", _TIME, nullable=False),
        sa.Column("read_at", _TIME),
    )
    op.create_index("ix_reminder_person_id_read_at", "reminder", ["person_id", "read_at"])
    op.create_index("ix_reminder_organisation_id_read_at", "reminder", ["organisation_id", "read_at"])
    _identified(
        "accountability",
        *_key("accountability", "problem_id", "problem", null=False),
        *_key("accountability", "organisation_id", "organisation"),
        *_key("accountability", "person_id", "person"),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("entered_at", _TIME, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decided_at", _TIME),
        sa.Column("decided_by", sa.String(100)),
    )
    for column in ("problem_id", "organisation_id", "entered_at"):
        op.create_index(f"ix_accountability_{column}", "accountability", [column])
    _identified(
        "escalation",
        *_key("escalation", "problem_id", "problem", null=False),
        *_key("escalation", "step_id", "escalation_step", null=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("taken_at", _TIME, nullable=False),
        *_key("escalation", "notice_id", "notice"),
        *_key("escalation", "reminder_id", "reminder"),
        sa.UniqueConstraint("problem_id", "step_id", "due_at", name="uq_escalation_once"),
    )
    for column in ("notice_id", "reminder_id"):
        op.create_index(f"ix_escalation_{column}", "escalation", [column])


def downgrade() -> None:
    for table in (
        "escalation",
        "accountability",
        "reminder",
        "notice_item",
        "notice",
        "escalation_step",
        "time_limit",
    ):
        op.drop_table(table)
