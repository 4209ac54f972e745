"""The base map's clock moves with what a map shows of a point, not with when patrols go there."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_SHOWN = "code, name, site_type, priority, geometry, valid_from, valid_to"


def _on_update_of(columns: str) -> None:
    of = f"UPDATE OF {columns}" if columns else "UPDATE"
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER move_base_clock ON inspection_point")
        op.execute(
            f"CREATE TRIGGER move_base_clock AFTER INSERT OR {of} OR DELETE OR TRUNCATE ON inspection_point "
            "FOR EACH STATEMENT EXECUTE FUNCTION move_base_clock()"
        )
        return
    op.execute("DROP TRIGGER move_base_clock_inspection_point_update")
    op.execute(
        f"CREATE TRIGGER move_base_clock_inspection_point_update AFTER {of} ON inspection_point "
        "BEGIN UPDATE ground_clock SET base = base + 1; END"
    )


def upgrade() -> None:
    _on_update_of(_SHOWN)


def downgrade() -> None:
    _on_update_of("")
