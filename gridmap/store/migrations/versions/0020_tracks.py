"""Recorded tracks, and the streets they went along."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "track",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("person_id", _ID),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("organisation_id", _ID),
        sa.Column("area_id", _ID),
        sa.Column("profile", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("fixes", "unused", "astray", "gaps")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("recorded_m", "walked_m")),
        sa.Column("points", sa.LargeBinary(), nullable=False),
        sa.Column("points_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint("uid", name=op.f("uq_track_uid")),
        *(
            sa.ForeignKeyConstraint([f"{name}_id"], [f"{name}.id"], name=op.f(f"fk_track_{name}_id"))
            for name in ("person", "organisation", "area")
        ),
    )
    op.create_index("ix_track_began_at", "track", ["began_at"])
    op.create_index("ix_track_organisation_id", "track", ["organisation_id"])
    op.create_index("ix_track_area_id", "track", ["area_id"])
    present = sa.text("person_id IS NOT NULL")
    op.create_index(
        "ix_track_person_id", "track", ["person_id"], postgresql_where=present, sqlite_where=present
    )
    op.create_table(
        "track_visit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("track_id", _ID, nullable=False),
        sa.Column("street_ref", sa.String(60), nullable=False),
        sa.Column("begin_m", sa.Double(), nullable=False),
        sa.Column("end_m", sa.Double(), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_visit")),
        sa.ForeignKeyConstraint(
            ["track_id"], ["track.id"], name=op.f("fk_track_visit_track_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_track_visit_track_id", "track_visit", ["track_id"])
    op.create_index("ix_track_visit_at", "track_visit", ["at"])


def downgrade() -> None:
    op.drop_table("track_visit")
    op.drop_table("track")
