"""Posts along an assessors' route."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "inspection_post",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("route_id", _ID, nullable=False),
        sa.Column("stop_id", _ID, nullable=False),
        sa.Column("person_id", _ID),
        sa.Column("begins_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("empty", sa.String(24)),
        sa.Column("picked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_post")),
        sa.UniqueConstraint("uid", name=op.f("uq_inspection_post_uid")),
        sa.ForeignKeyConstraint(
            ["route_id"],
            ["inspection_route.id"],
            name=op.f("fk_inspection_post_route_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"], ["inspection_stop.id"], name=op.f("fk_inspection_post_stop_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inspection_post_person_id")),
    )
    for column in ("route_id", "stop_id", "person_id"):
        op.create_index(op.f(f"ix_inspection_post_{column}"), "inspection_post", [column])


def downgrade() -> None:
    op.drop_table("inspection_post")
