"""The trail of every change."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "trail_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail_head")),
    )
    op.execute("INSERT INTO trail_head (id, seq, hash) VALUES (1, 0, '')")
    op.create_table(
        "trail_entry",
        sa.Column("seq", _ID, nullable=False, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("login_id", sa.BigInteger()),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_trail_entry")),
    )
    op.create_index("ix_trail_entry_at", "trail_entry", ["at"])
    op.create_index("ix_trail_entry_actor", "trail_entry", ["actor"])
    op.create_table(
        "trail_line",
        sa.Column("seq", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(40), nullable=False),
        sa.Column("deed", sa.String(24), nullable=False),
        sa.Column("row_id", sa.BigInteger()),
        sa.Column("row_uid", sa.String(32)),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.Column("digest", sa.String(32)),
        sa.Column("rows", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["seq"], ["trail_entry.seq"], name=op.f("fk_trail_line_seq")),
        sa.PrimaryKeyConstraint("seq", "number", name=op.f("pk_trail_line")),
    )
    op.create_index("ix_trail_line_table_name_row_id", "trail_line", ["table_name", "row_id"])


def downgrade() -> None:
    op.drop_table("trail_line")
    op.drop_table("trail_entry")
    op.drop_table("trail_head")
