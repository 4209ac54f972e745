"""Rounds that two people walk together."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite takes a constraint only together with its column.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE patrol_route ADD COLUMN partner_id {kind} "
        "CONSTRAINT fk_patrol_route_partner_id REFERENCES person(id)"
    )
    op.create_index(op.f("ix_patrol_route_partner_id"), "patrol_route", ["partner_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_patrol_route_partner_id"), "patrol_route")
    op.drop_column("patrol_route", "partner_id")
