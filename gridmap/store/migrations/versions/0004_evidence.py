"""Photos, videos and scans."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("problem_id", _ID),
        sa.Column("event_id", _ID),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(300)),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("shown_type", sa.String(60)),
        sa.Column("shown_size", sa.BigInteger()),
        sa.Column("shown_sha256", sa.String(64)),
        sa.Column("thumbnail_size", sa.Integer()),
        sa.Column("thumbnail_sha256", sa.String(64)),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("duration", sa.Double()),
        sa.Column("taken_at", _TIME),
        sa.Column("lon", sa.Double()),
        sa.Column("lat", sa.Double()),
        sa.Column("stated_at", _TIME),
        sa.Column("metres_off", sa.Double()),
        sa.Column("minutes_off", sa.Double()),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("uploaded_by", sa.String(100), nullable=False),
        sa.Column("login_id", _ID),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("uid", name=op.f("uq_attachment_uid")),
        *(
            sa.ForeignKeyConstraint([f"{other}_id"], [f"{other}.id"], name=op.f(f"fk_attachment_{other}_id"))
            for other in ("problem", "event", "login")
        ),
    )
    for column in ("problem_id", "event_id", "sha256"):
        op.create_index(f"ix_attachment_{column}", "attachment", [column])
    op.create_index("ix_attachment_login_id_created_at", "attachment", ["login_id", "created_at"])


def downgrade() -> None:
    op.drop_table("attachment")
