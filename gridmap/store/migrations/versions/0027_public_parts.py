"""What of a report and of a remark everybody may know, part by part, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CHANGES_ROWS_OF = ("publication", "resident_note", "resident_report")

_EMPTY = {"dict": sa.text("'{}'"), "list": sa.text("'[]'")}
_COLUMNS = (
    ("publication", sa.Column("address", sa.String(300), nullable=False, server_default="")),
    ("publication", sa.Column("attributes", sa.JSON(), nullable=False, server_default=_EMPTY["dict"])),
    ("publication", sa.Column("media_urls", sa.JSON(), nullable=False, server_default=_EMPTY["list"])),
    ("publication", sa.Column("published_at", sa.DateTime(timezone=True))),
    ("resident_note", sa.Column("public_urls", sa.JSON(), nullable=False, server_default=_EMPTY["list"])),
    ("resident_note", sa.Column("photos", sa.JSON(), nullable=False, server_default=_EMPTY["list"])),
    ("resident_note", sa.Column("published_at", sa.DateTime(timezone=True))),
)


def _kept(column: str) -> str:
    return f"(SELECT r.{column} FROM resident_report r WHERE r.problem_id = publication.problem_id)"


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    op.execute(
        "UPDATE publication SET published_at = CASE WHEN state = 'published' THEN decided_at END, "
        "address = coalesce((SELECT p.address FROM problem p WHERE p.id = publication.problem_id), '')"
    )
    # What was published keeps what was public of it.
    for column in ("attributes", "media_urls"):
        op.execute(
            f"UPDATE publication SET {column} = {_kept(column)} "
            f"WHERE state = 'published' AND {_kept(column)} IS NOT NULL"
        )
    op.execute(
        "UPDATE resident_note SET public_urls = media_urls, published_at = at WHERE state = 'published'"
    )
    # Only the reporter's own word and what was published say whether it is solved.
    op.execute(
        "UPDATE resident_report SET last_said = (SELECT n.said FROM resident_note n "
        "WHERE n.problem_id = resident_report.problem_id AND n.said <> 'remark' "
        "AND (n.state = 'published' OR (n.api_key_id IS NULL AND n.state <> 'hidden')) "
        "ORDER BY n.at DESC, n.id DESC LIMIT 1)"
    )


def downgrade() -> None:
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
