"""Rounds of plans that were removed, which calendars still hold."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "removed_round",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("first_uid", sa.Uuid(), nullable=False),
        sa.Column("plan_uid", sa.Uuid(), nullable=False),
        sa.Column("route_uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("area_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("partner_id", _ID),
        sa.Column("lead_uid", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("leaves_at", _TIME, nullable=False),
        sa.Column("returns_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_round")),
        sa.UniqueConstraint("uid", name=op.f("uq_removed_round_uid")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=op.f(f"fk_removed_round_{column}"), ondelete="CASCADE"
            )
            for column, target in (("area_id", "area"), ("person_id", "person"), ("partner_id", "person"))
        ),
    )
    for column in ("area_id", "first_uid", "partner_id", "person_id", "route_uid"):
        op.create_index(op.f(f"ix_removed_round_{column}"), "removed_round", [column])


def downgrade() -> None:
    op.drop_table("removed_round")
