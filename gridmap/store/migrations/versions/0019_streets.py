"""Who may go along streets, barriers and turn restrictions; on the clock of the base map."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EVENTS = ("INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    op.add_column("street", sa.Column("tags", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "road_rule",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("source_ref", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("profiles", sa.String(60), nullable=False),
        sa.Column("from_ref", sa.String(60), nullable=False),
        sa.Column("to_ref", sa.String(60), nullable=False),
        sa.Column("via_refs", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("import_id", _ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_rule")),
        sa.UniqueConstraint("uid", name=op.f("uq_road_rule_uid")),
        sa.UniqueConstraint("source_ref", name=op.f("uq_road_rule_source_ref")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_road_rule_import_id")),
    )
    op.create_index("ix_road_rule_import_id", "road_rule", ["import_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER move_base_clock AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON road_rule "
            "FOR EACH STATEMENT EXECUTE FUNCTION move_base_clock()"
        )
        return
    for event in _EVENTS:
        op.execute(
            f"CREATE TRIGGER move_base_clock_road_rule_{event.lower()} AFTER {event} ON road_rule "
            "BEGIN UPDATE ground_clock SET base = base + 1; END"
        )


def downgrade() -> None:
    op.drop_table("road_rule")
    op.drop_column("street", "tags")
