"""What residents report, who they are, and what is published; keys of other systems; scans of pledges."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{name}_uid")),
    )


def _key(
    table: str, column: str, target: str, *, null: bool = False, unique: bool = False
) -> tuple[sa.Column | sa.Constraint, ...]:
    only = (sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}")),) if unique else ()
    return (
        sa.Column(column, _ID, nullable=null),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")),
        *only,
    )


def upgrade() -> None:
    _table(
        "api_key",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    _table(
        "publication",
        *_key("publication", "problem_id", "problem", unique=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_at", _TIME),
    )
    _table(
        "resident_report",
        *_key("resident_report", "problem_id", "problem", unique=True),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("sender_hash", sa.String(64)),
        sa.Column("sent_at", _TIME, nullable=False),
        *_key("resident_report", "api_key_id", "api_key", null=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("media_urls", sa.JSON(), nullable=False),
        sa.Column("last_said", sa.String(24)),
        sa.UniqueConstraint("code_hash", name=op.f("uq_resident_report_code_hash")),
    )
    _table(
        "reporter",
        *_key("reporter", "report_id", "resident_report", unique=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("email", sa.String(200), nullable=False),
        sa.Column("consented_at", _TIME, nullable=False),
    )
    _table(
        "resident_note",
        *_key("resident_note", "problem_id", "problem"),
        sa.Column("said", sa.String(24), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("public_text", sa.Text(), nullable=False),
        *_key("resident_note", "api_key_id", "api_key", null=True),
        sa.Column("external_id", sa.String(100)),
        sa.Column("media_urls", sa.JSON(), nullable=False),
    )
    _table(
        "public_photo",
        *_key("public_photo", "attachment_id", "attachment", unique=True),
        *_key("public_photo", "problem_id", "problem"),
        sa.Column("published_by", sa.String(100), nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
    )
    for table, columns in _INDICES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE pledge ADD COLUMN attachment_id {kind} "
        "CONSTRAINT fk_pledge_attachment_id REFERENCES attachment(id)"
    )


_INDICES = {
    "publication": ("state",),
    "resident_report": ("sender_hash", "sent_at", "api_key_id"),
    "resident_note": ("problem_id", "at", "state", "api_key_id"),
    "public_photo": ("problem_id",),
}


def downgrade() -> None:
    op.drop_column("pledge", "attachment_id")
    for table in ("public_photo", "resident_note", "reporter", "resident_report", "publication", "api_key"):
        op.drop_table(table)
