"""The life of a problem: clock, requests, links, actions on many, and the rules of dispatch."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_PROBLEM = (
    sa.Column("checked_at", _TIME),
    sa.Column("dispatched_at", _TIME),
    sa.Column("fixed_at", _TIME),
    sa.Column("fix_due_at", _TIME),
    sa.Column("time_allowed", sa.Integer()),
    sa.Column("time_unit", sa.String(24)),
    sa.Column("clock_since", _TIME),
    sa.Column("clock_used", sa.BigInteger(), nullable=False, server_default="0"),
    sa.Column("on_time", sa.Boolean()),
    *(
        sa.Column(name, sa.SmallInteger(), nullable=False, server_default="0")
        for name in ("rework", "returns", "suspensions", "extensions", "look_backs", "reopened")
    ),
    sa.Column("recurrence", sa.Boolean(), nullable=False, server_default=sa.false()),
)
_EVENT = (sa.Column("action", sa.String(24)), sa.Column("note", sa.Text()))
_KEYS = (
    ("problem", "fixed_by_id", "person"),
    ("event", "person_id", "person"),
    ("event", "batch_id", "batch"),
)


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


def _add_key(table: str, column: str, target: str) -> None:
    # SQLite takes a constraint only together with its column.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT fk_{table}_{column} REFERENCES {target}(id)"
    )


def upgrade() -> None:
    _identified(
        "batch",
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        *_key("batch", "login_id", "login"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("undone_at", _TIME),
    )
    for table, columns in (("problem", _PROBLEM), ("event", _EVENT)):
        for column in columns:
            op.add_column(table, column)
    for table, column, target in _KEYS:
        _add_key(table, column, target)
    op.create_index("ix_event_batch_id", "event", ["batch_id"])
    op.add_column(
        "category", sa.Column("after_photo", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _identified(
        "problem_link",
        *_key("problem_link", "problem_id", "problem", null=False),
        *_key("problem_link", "other_id", "problem", null=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        *_key("problem_link", "batch_id", "batch"),
        sa.UniqueConstraint("problem_id", "other_id", "kind", name="uq_problem_link"),
    )
    op.create_index("ix_problem_link_problem_id", "problem_link", ["problem_id"])
    op.create_index("ix_problem_link_other_id", "problem_link", ["other_id"])
    op.create_index("ix_problem_link_batch_id", "problem_link", ["batch_id"])
    _identified(
        "request",
        *_key("request", "problem_id", "problem", null=False),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", _TIME),
        sa.Column("more", sa.Integer()),
        sa.Column("asked_by", sa.String(100), nullable=False),
        *_key("request", "person_id", "person"),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_at", _TIME),
        *_key("request", "asked_in_id", "batch"),
        *_key("request", "decided_in_id", "batch"),
    )
    for column in ("problem_id", "asked_in_id", "decided_in_id"):
        op.create_index(f"ix_request_{column}", "request", [column])
    rule = "dispatch_rule"
    _identified(
        rule,
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        *_key(rule, "category_id", "category"),
        *_key(rule, "area_id", "area"),
        *_key(rule, "road_id", "priority_road"),
        sa.Column("site_type", sa.String(40)),
        sa.Column("hours", sa.String(100), nullable=False),
        *_key(rule, "organisation_id", "organisation"),
        *_key(rule, "person_id", "person"),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.CheckConstraint(
            "organisation_id IS NOT NULL OR person_id IS NOT NULL", name=op.f("ck_dispatch_rule_to_somebody")
        ),
    )
    for column in ("category_id", "area_id", "road_id", "organisation_id", "person_id"):
        op.create_index(f"ix_{rule}_{column}", rule, [column])


def downgrade() -> None:
    op.drop_table("dispatch_rule")
    op.drop_table("request")
    op.drop_table("problem_link")
    op.drop_index("ix_event_batch_id", "event")
    for table, column, _ in _KEYS:
        op.drop_column(table, column)
    for table, columns in (("problem", _PROBLEM), ("event", _EVENT)):
        for column in columns:
            op.drop_column(table, column.name)
    op.drop_column("category", "after_photo")
    op.drop_table("batch")
