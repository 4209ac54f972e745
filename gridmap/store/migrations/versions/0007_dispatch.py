"""Rules of dispatch that ask who found a problem and how grave it is; on the clock of the ground."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_EVENTS = ("INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    op.add_column("dispatch_rule", sa.Column("source", sa.String(24)))
    op.add_column(
        "dispatch_rule", sa.Column("least_severity", sa.SmallInteger(), nullable=False, server_default="0")
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER move_ground_clock AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON dispatch_rule "
            "FOR EACH STATEMENT EXECUTE FUNCTION move_ground_clock()"
        )
        return
    for event in _EVENTS:
        op.execute(
            f"CREATE TRIGGER move_ground_clock_dispatch_rule_{event.lower()} AFTER {event} ON dispatch_rule "
            "BEGIN UPDATE ground_clock SET ground = ground + 1; END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER move_ground_clock ON dispatch_rule")
    else:
        for event in _EVENTS:
            op.execute(f"DROP TRIGGER move_ground_clock_dispatch_rule_{event.lower()}")
    op.drop_column("dispatch_rule", "least_severity")
    op.drop_column("dispatch_rule", "source")
