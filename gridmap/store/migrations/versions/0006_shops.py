"""Shopfronts, pledges and offences; responsibilities that hold a shop."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_HELD = ("area_id", "cell_id", "point_id", "road_id")
_MOVE_SHOPS = ("offence", "pledge", "shopfront")


def _key(table: str, column: str, target: str, *, null: bool = True) -> tuple[sa.Column, sa.Constraint]:
    return (
        sa.Column(column, _ID, nullable=null),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")),
    )


def _identified(name: str) -> tuple[sa.Column | sa.Constraint, ...]:
    return (
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{name}_uid")),
    )


def upgrade() -> None:
    op.create_geospatial_table(
        "shopfront",
        *_identified("shopfront"),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("licence", sa.String(40), nullable=False),
        sa.Column("trade", sa.String(100), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("phone", sa.String(40)),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="GEOMETRY",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        *_key("shopfront", "area_id", "area"),
        *_key("shopfront", "cell_id", "grid_cell"),
        *_key("shopfront", "road_id", "priority_road"),
        *_key("shopfront", "organisation_id", "organisation"),
        *_key("shopfront", "import_id", "import"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
    )
    op.create_geospatial_index(
        "idx_shopfront_geometry",
        "shopfront",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    for column in (
        "code",
        "name",
        "licence",
        "area_id",
        "cell_id",
        "road_id",
        "organisation_id",
        "import_id",
    ):
        op.create_index(f"ix_shopfront_{column}", "shopfront", [column])
    op.create_table(
        "pledge",
        *_identified("pledge"),
        *_key("pledge", "shop_id", "shopfront", null=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        *_key("pledge", "import_id", "import"),
    )
    for column in ("shop_id", "import_id"):
        op.create_index(f"ix_pledge_{column}", "pledge", [column])
    op.create_table(
        "offence",
        *_identified("offence"),
        *_key("offence", "shop_id", "shopfront", null=False),
        *_key("offence", "category_id", "category", null=False),
        *_key("offence", "problem_id", "problem"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("step", sa.String(24), nullable=False),
        sa.Column("expected", sa.String(24), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "note", "goods")),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        *_key("offence", "person_id", "person"),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("appeal", sa.Text()),
        sa.Column("appealed_at", _TIME),
        sa.Column("appeal_state", sa.String(24)),
        sa.Column("decision", sa.Text()),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_at", _TIME),
        *_key("offence", "import_id", "import"),
    )
    op.create_index("ix_offence_shop_id_at", "offence", ["shop_id", "at"])
    for column in ("category_id", "problem_id", "at", "person_id", "import_id"):
        op.create_index(f"ix_offence_{column}", "offence", [column])
    _hold_shops()
    _move_clock()


def _one_place(columns: tuple[str, ...]) -> str:
    return " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in columns) + " = 1"


_RULE = "ck_responsibility_one_place"
_COLUMN = "shop_id INTEGER CONSTRAINT fk_responsibility_shop_id REFERENCES shopfront(id)"


def _hold_shops() -> None:
    """Let responsibilities hold a shop: the rule that each holds one place counts it as well."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE responsibility ADD COLUMN " + _COLUMN.replace("INTEGER", "BIGINT"))
        op.drop_constraint(op.f(_RULE), "responsibility", type_="check")
        op.create_check_constraint(op.f(_RULE), "responsibility", _one_place((*_HELD, "shop_id")))
    else:
        _rebuild_on_sqlite(
            (_one_place(_HELD), _one_place((*_HELD, "shop_id"))),
            ("road_id INTEGER,", f"road_id INTEGER, {_COLUMN},"),
        )
    op.create_index("ix_responsibility_shop_id", "responsibility", ["shop_id"])


def _rebuild_on_sqlite(*replaced: tuple[str, str]) -> None:
    """Make the table anew with other words in it, as SQLite cannot change a rule; what hangs on it comes back.

    Columns that only one of the two has are left out of the copy.
    """
    bind = op.get_bind()
    rows = bind.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'responsibility' AND sql IS NOT NULL"
    ).all()
    made = next(sql for kind, sql in rows if kind == "table")
    for old, new in replaced:
        if old not in made:
            raise RuntimeError(f"Expected {old} in the table responsibility; found {made}")
        made = made.replace(old, new)
    bind.exec_driver_sql(made.replace("responsibility", "responsibility_new", 1))
    before, after = (
        [row[1] for row in bind.exec_driver_sql(f"PRAGMA table_info({table})")]
        for table in ("responsibility", "responsibility_new")
    )
    both = ", ".join(column for column in before if column in after)
    bind.exec_driver_sql(f"INSERT INTO responsibility_new ({both}) SELECT {both} FROM responsibility")
    bind.exec_driver_sql("DROP TABLE responsibility")
    bind.exec_driver_sql("ALTER TABLE responsibility_new RENAME TO responsibility")
    for kind, sql in rows:
        if kind != "table":
            bind.exec_driver_sql(sql)


def _move_clock() -> None:
    op.add_column("ground_clock", sa.Column("shops", sa.BigInteger(), nullable=False, server_default="1"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION move_shops_clock() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN UPDATE ground_clock SET shops = shops + 1; RETURN NULL; END $$"
        )
        for table in _MOVE_SHOPS:
            op.execute(
                f"CREATE TRIGGER move_shops_clock AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION move_shops_clock()"
            )
        return
    for table in _MOVE_SHOPS:
        for event in ("INSERT", "UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER move_shops_clock_{table}_{event.lower()} AFTER {event} ON {table} "
                "BEGIN UPDATE ground_clock SET shops = shops + 1; END"
            )


def downgrade() -> None:
    op.execute("DELETE FROM responsibility WHERE shop_id IS NOT NULL")
    op.drop_index("ix_responsibility_shop_id", "responsibility")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION move_shops_clock() CASCADE")
        op.drop_constraint(op.f(_RULE), "responsibility", type_="check")
        op.drop_column("responsibility", "shop_id")
        op.create_check_constraint(op.f(_RULE), "responsibility", _one_place(_HELD))
    else:
        _rebuild_on_sqlite((_one_place((*_HELD, "shop_id")), _one_place(_HELD)), (f" {_COLUMN},", ""))
    op.drop_table("offence")
    op.drop_table("pledge")
    op.drop_geospatial_table("shopfront")
    op.drop_column("ground_clock", "shops")
