"""Photos and videos of offences of shops."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "offence_photo",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("offence_id", _ID, nullable=False),
        sa.Column("attachment_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["offence_id"], ["offence.id"], name=op.f("fk_offence_photo_offence_id")),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name=op.f("fk_offence_photo_attachment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offence_photo")),
        sa.UniqueConstraint("uid", name=op.f("uq_offence_photo_uid")),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_offence_photo_attachment_id")),
    )
    op.create_index("ix_offence_photo_offence_id", "offence_photo", ["offence_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER move_shops_clock AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON offence_photo "
            "FOR EACH STATEMENT EXECUTE FUNCTION move_shops_clock()"
        )
        return
    for event in ("INSERT", "UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER move_shops_clock_offence_photo_{event.lower()} AFTER {event} ON offence_photo "
            "BEGIN UPDATE ground_clock SET shops = shops + 1; END"
        )


def downgrade() -> None:
    op.drop_table("offence_photo")
