"""What lets a request in: sessions, tokens, one-time codes, outside identities; failed attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_LOGIN = (
    sa.Column("rights_epoch", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("password_set_at", _TIME),
)


def _login_key(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["login_id"], ["login.id"], name=op.f(f"fk_{table}_login_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    for column in _LOGIN:
        op.add_column("login", column)
    op.create_table(
        "credential",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("login_id", _ID, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("former_hash", sa.LargeBinary(32)),
        sa.Column("renewed_at", _TIME, nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("rights_epoch", sa.Integer(), nullable=False),
        sa.Column("permissions", sa.JSON()),
        sa.Column("begun_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("uid", name=op.f("uq_credential_uid")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_credential_secret_hash")),
        _login_key("credential"),
    )
    op.create_index("ix_credential_login_id", "credential", ["login_id"])
    op.create_index("ix_credential_former_hash", "credential", ["former_hash"])
    op.create_table(
        "credential_use",
        sa.Column("credential_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_credential_use")),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credential.id"],
            name=op.f("fk_credential_use_credential_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "one_time_code",
        sa.Column("id", _ID, nullable=False),
        sa.Column("login_id", _ID, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(300), nullable=False),
        sa.Column("confirmed_at", _TIME),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
        sa.UniqueConstraint("login_id", name=op.f("uq_one_time_code_login_id")),
        _login_key("one_time_code"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _ID, nullable=False),
        sa.Column("login_id", _ID, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("used_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("login_id", "code_hash", name="uq_recovery_code"),
        _login_key("recovery_code"),
    )
    op.create_index("ix_recovery_code_login_id", "recovery_code", ["login_id"])
    op.create_table(
        "outside_identity",
        sa.Column("id", _ID, nullable=False),
        sa.Column("login_id", _ID, nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("bound_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_identity")),
        sa.UniqueConstraint("login_id", name=op.f("uq_outside_identity_login_id")),
        sa.UniqueConstraint("issuer", "subject", name="uq_outside_identity"),
        _login_key("outside_identity"),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("blocked_until", _TIME),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_last_at", "attempts", ["last_at"])
    for statement in _moves_access(op.get_bind().dialect.name):
        op.execute(statement)


def _moves_access(dialect: str) -> list[str]:
    """Credentials move the clock of access: one that ends is refused by every server process at once."""
    if dialect == "postgresql":
        events = "INSERT OR UPDATE OR DELETE OR TRUNCATE"
        return [
            f"CREATE TRIGGER move_access_clock AFTER {events} ON credential FOR EACH STATEMENT EXECUTE FUNCTION move_access_clock()"
        ]
    return [
        f"CREATE TRIGGER move_access_clock_credential_{event.lower()} AFTER {event} ON credential "
        "BEGIN UPDATE ground_clock SET access = access + 1; END"
        for event in ("INSERT", "UPDATE", "DELETE")
    ]


def downgrade() -> None:
    for table in ("attempts", "outside_identity", "recovery_code", "one_time_code", "credential_use"):
        op.drop_table(table)
    op.drop_table("credential")
    for column in _LOGIN:
        op.drop_column("login", column.name)
