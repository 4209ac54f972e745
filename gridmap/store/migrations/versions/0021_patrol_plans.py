"""Patrol plans: rounds, and the visits in their order."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0021"
down_revision = "0020"
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


def _key(table: str, column: str, target: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE" if cascade else None
    )


def upgrade() -> None:
    op.create_table(
        "patrol_plan",
        *_identified("patrol_plan"),
        sa.Column("area_id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens_at", _TIME, nullable=False),
        sa.Column("closes_at", _TIME, nullable=False),
        sa.Column("profile", sa.String(24), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("searched_s", sa.Integer(), nullable=False),
        sa.Column("unfitted", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _key("patrol_plan", "area_id", "area"),
    )
    op.create_index(op.f("ix_patrol_plan_area_id"), "patrol_plan", ["area_id"])
    op.create_index(op.f("ix_patrol_plan_day"), "patrol_plan", ["day"])
    op.create_geospatial_table(
        "patrol_route",
        *_identified("patrol_route"),
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("leaves_at", _TIME, nullable=False),
        sa.Column("returns_at", _TIME, nullable=False),
        sa.Column("rests_at", _TIME),
        sa.Column("rests_until", _TIME),
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
        _key("patrol_route", "plan_id", "patrol_plan", cascade=True),
        _key("patrol_route", "person_id", "person"),
    )
    op.create_index(op.f("ix_patrol_route_plan_id"), "patrol_route", ["plan_id"])
    op.create_index(op.f("ix_patrol_route_person_id"), "patrol_route", ["person_id"])
    op.create_table(
        "patrol_visit",
        *_identified("patrol_visit"),
        sa.Column("route_id", _ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("point_id", _ID),
        sa.Column("problem_id", _ID),
        sa.Column("road_id", _ID),
        sa.Column("arrives_at", _TIME, nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("finishes_at", _TIME, nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        _key("patrol_visit", "route_id", "patrol_route", cascade=True),
        _key("patrol_visit", "point_id", "inspection_point"),
        _key("patrol_visit", "problem_id", "problem"),
        _key("patrol_visit", "road_id", "priority_road"),
    )
    for column in ("route_id", "point_id", "problem_id", "road_id"):
        op.create_index(op.f(f"ix_patrol_visit_{column}"), "patrol_visit", [column])


def downgrade() -> None:
    op.drop_table("patrol_visit")
    op.drop_geospatial_table("patrol_route")
    op.drop_table("patrol_plan")
