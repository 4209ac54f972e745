"""Assessors' routes and their stops."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0022"
down_revision = "0021"
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
    op.create_geospatial_table(
        "inspection_route",
        *_identified("inspection_route"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("profile", sa.String(24), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("minutes_at_stop", sa.SmallInteger(), nullable=False),
        sa.Column("drawn_from", sa.Integer()),
        sa.Column("seed", sa.BigInteger()),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                from_text="ST_GeomFromEWKT",
                spatial_index=False,
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_table(
        "inspection_stop",
        *_identified("inspection_stop"),
        sa.Column("route_id", _ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("point_id", _ID, nullable=False),
        sa.Column("arrives_at", _TIME, nullable=False),
        sa.Column("leaves_at", _TIME, nullable=False),
        sa.Column("along_m", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["route_id"],
            ["inspection_route.id"],
            name=op.f("fk_inspection_stop_route_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["inspection_point.id"], name=op.f("fk_inspection_stop_point_id")
        ),
    )
    for column in ("route_id", "point_id"):
        op.create_index(op.f(f"ix_inspection_stop_{column}"), "inspection_stop", [column])


def downgrade() -> None:
    op.drop_table("inspection_stop")
    op.drop_geospatial_table("inspection_route")
