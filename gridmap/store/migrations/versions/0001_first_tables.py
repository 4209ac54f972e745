"""Places, people, problems and their history."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "change_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("rebuild", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_clock")),
    )
    op.execute("INSERT INTO change_clock (id, change, rebuild) VALUES (1, 0, 0)")
    op.create_table(
        "import",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.UniqueConstraint("uid", name=op.f("uq_import_uid")),
    )
    op.create_geospatial_table(
        "area",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=24), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_area_import_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("uid", name=op.f("uq_area_uid")),
    )
    op.create_geospatial_index(
        "idx_area_geometry", "area", ["geometry"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_area_code"), "area", ["code"], unique=False)
    op.create_index(op.f("ix_area_import_id"), "area", ["import_id"], unique=False)
    op.create_index(op.f("ix_area_name"), "area", ["name"], unique=False)
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False)
    op.create_geospatial_table(
        "building",
        sa.Column("source_ref", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("levels", sa.SmallInteger(), nullable=True),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_building_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
        sa.UniqueConstraint("source_ref", name=op.f("uq_building_source_ref")),
        sa.UniqueConstraint("uid", name=op.f("uq_building_uid")),
    )
    op.create_geospatial_index(
        "idx_building_geometry",
        "building",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_building_import_id"), "building", ["import_id"], unique=False)
    op.create_table(
        "import_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_uid", sa.Uuid(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_change_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
    )
    op.create_index(
        "ix_import_change_import_id_table_name", "import_change", ["import_id", "table_name"], unique=False
    )
    op.create_geospatial_table(
        "street",
        sa.Column("source_ref", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("road_class", sa.String(length=24), nullable=False),
        sa.Column("oneway", sa.SmallInteger(), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_street_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_street")),
        sa.UniqueConstraint("source_ref", name=op.f("uq_street_source_ref")),
        sa.UniqueConstraint("uid", name=op.f("uq_street_uid")),
    )
    op.create_geospatial_index(
        "idx_street_geometry",
        "street",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_street_import_id"), "street", ["import_id"], unique=False)
    op.create_index(op.f("ix_street_name"), "street", ["name"], unique=False)
    op.create_geospatial_table(
        "surface",
        sa.Column("source_ref", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_surface_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surface")),
        sa.UniqueConstraint("source_ref", name=op.f("uq_surface_source_ref")),
        sa.UniqueConstraint("uid", name=op.f("uq_surface_uid")),
    )
    op.create_geospatial_index(
        "idx_surface_geometry",
        "surface",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_surface_import_id"), "surface", ["import_id"], unique=False)
    op.create_geospatial_table(
        "grid_cell",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("last_patrol_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_grid_cell_area_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_grid_cell_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_cell")),
        sa.UniqueConstraint("uid", name=op.f("uq_grid_cell_uid")),
    )
    op.create_geospatial_index(
        "idx_grid_cell_geometry",
        "grid_cell",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_grid_cell_area_id"), "grid_cell", ["area_id"], unique=False)
    op.create_index(op.f("ix_grid_cell_code"), "grid_cell", ["code"], unique=False)
    op.create_index(op.f("ix_grid_cell_import_id"), "grid_cell", ["import_id"], unique=False)
    op.create_table(
        "organisation",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_organisation_area_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_organisation_import_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["organisation.id"], name=op.f("fk_organisation_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_organisation_uid")),
    )
    op.create_index(op.f("ix_organisation_area_id"), "organisation", ["area_id"], unique=False)
    op.create_index(op.f("ix_organisation_import_id"), "organisation", ["import_id"], unique=False)
    op.create_geospatial_table(
        "priority_road",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("hours", sa.String(length=100), nullable=False),
        sa.Column("patrols_per_day", sa.SmallInteger(), nullable=False),
        sa.Column("last_patrol_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "geometry",
            Geometry(
                geometry_type="MULTILINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_priority_road_area_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_priority_road_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_priority_road")),
        sa.UniqueConstraint("uid", name=op.f("uq_priority_road_uid")),
    )
    op.create_geospatial_index(
        "idx_priority_road_geometry",
        "priority_road",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_priority_road_area_id"), "priority_road", ["area_id"], unique=False)
    op.create_index(op.f("ix_priority_road_code"), "priority_road", ["code"], unique=False)
    op.create_index(op.f("ix_priority_road_import_id"), "priority_road", ["import_id"], unique=False)
    op.create_index(op.f("ix_priority_road_name"), "priority_road", ["name"], unique=False)
    op.create_table(
        "category",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("time_allowed", sa.Integer(), nullable=False),
        sa.Column("time_unit", sa.String(length=24), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_category_import_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_category_organisation_id")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("code", name=op.f("uq_category_code")),
        sa.UniqueConstraint("uid", name=op.f("uq_category_uid")),
    )
    op.create_index(op.f("ix_category_import_id"), "category", ["import_id"], unique=False)
    op.create_index(op.f("ix_category_name"), "category", ["name"], unique=False)
    op.create_index(op.f("ix_category_parent_id"), "category", ["parent_id"], unique=False)
    op.create_geospatial_table(
        "inspection_point",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("site_type", sa.String(length=40), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cell_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "geometry",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_inspection_point_area_id")),
        sa.ForeignKeyConstraint(["cell_id"], ["grid_cell.id"], name=op.f("fk_inspection_point_cell_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_inspection_point_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_point")),
        sa.UniqueConstraint("uid", name=op.f("uq_inspection_point_uid")),
    )
    op.create_geospatial_index(
        "idx_inspection_point_geometry",
        "inspection_point",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_inspection_point_area_id"), "inspection_point", ["area_id"], unique=False)
    op.create_index(op.f("ix_inspection_point_cell_id"), "inspection_point", ["cell_id"], unique=False)
    op.create_index(op.f("ix_inspection_point_code"), "inspection_point", ["code"], unique=False)
    op.create_index(op.f("ix_inspection_point_import_id"), "inspection_point", ["import_id"], unique=False)
    op.create_index(op.f("ix_inspection_point_name"), "inspection_point", ["name"], unique=False)
    op.create_index(op.f("ix_inspection_point_site_type"), "inspection_point", ["site_type"], unique=False)
    op.create_table(
        "person",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("duty", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_person_import_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_person_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("uid", name=op.f("uq_person_uid")),
    )
    op.create_index(op.f("ix_person_import_id"), "person", ["import_id"], unique=False)
    op.create_index(op.f("ix_person_name"), "person", ["name"], unique=False)
    op.create_index(op.f("ix_person_organisation_id"), "person", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_person_phone"), "person", ["phone"], unique=False)
    op.create_table(
        "login",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_login_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("uid", name=op.f("uq_login_uid")),
        sa.UniqueConstraint("username", name=op.f("uq_login_username")),
    )
    op.create_index(op.f("ix_login_person_id"), "login", ["person_id"], unique=False)
    op.create_geospatial_table(
        "problem",
        sa.Column("category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column(
            "geometry",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cell_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("road_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("external_source", sa.String(length=100), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_problem_area_id")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_problem_category_id")),
        sa.ForeignKeyConstraint(["cell_id"], ["grid_cell.id"], name=op.f("fk_problem_cell_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_problem_import_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_problem_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_problem_person_id")),
        sa.ForeignKeyConstraint(["road_id"], ["priority_road.id"], name=op.f("fk_problem_road_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sa.UniqueConstraint("external_source", "external_id", name="uq_problem_external"),
        sa.UniqueConstraint("uid", name=op.f("uq_problem_uid")),
    )
    op.create_geospatial_index(
        "idx_problem_geometry",
        "problem",
        ["geometry"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_problem_area_id"), "problem", ["area_id"], unique=False)
    op.create_index(op.f("ix_problem_category_id"), "problem", ["category_id"], unique=False)
    op.create_index(op.f("ix_problem_cell_id"), "problem", ["cell_id"], unique=False)
    op.create_index(op.f("ix_problem_change"), "problem", ["change"], unique=False)
    op.create_index(op.f("ix_problem_found_at"), "problem", ["found_at"], unique=False)
    op.create_index(op.f("ix_problem_import_id"), "problem", ["import_id"], unique=False)
    op.create_index(op.f("ix_problem_organisation_id"), "problem", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_problem_person_id"), "problem", ["person_id"], unique=False)
    op.create_index(op.f("ix_problem_road_id"), "problem", ["road_id"], unique=False)
    op.create_index("ix_problem_state_due_at", "problem", ["state", "due_at"], unique=False)
    op.create_table(
        "responsibility",
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cell_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("point_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("road_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pledge_signed_on", sa.Date(), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN area_id IS NULL THEN 0 ELSE 1 END + CASE WHEN cell_id IS NULL THEN 0 ELSE 1 END + CASE WHEN point_id IS NULL THEN 0 ELSE 1 END + CASE WHEN road_id IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_responsibility_one_place"),
        ),
        sa.CheckConstraint(
            "person_id IS NOT NULL OR organisation_id IS NOT NULL",
            name=op.f("ck_responsibility_held_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_responsibility_area_id")),
        sa.ForeignKeyConstraint(["cell_id"], ["grid_cell.id"], name=op.f("fk_responsibility_cell_id")),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_responsibility_import_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_responsibility_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_responsibility_person_id")),
        sa.ForeignKeyConstraint(
            ["point_id"], ["inspection_point.id"], name=op.f("fk_responsibility_point_id")
        ),
        sa.ForeignKeyConstraint(["road_id"], ["priority_road.id"], name=op.f("fk_responsibility_road_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility")),
        sa.UniqueConstraint("uid", name=op.f("uq_responsibility_uid")),
    )
    op.create_index(op.f("ix_responsibility_area_id"), "responsibility", ["area_id"], unique=False)
    op.create_index(op.f("ix_responsibility_cell_id"), "responsibility", ["cell_id"], unique=False)
    op.create_index(op.f("ix_responsibility_import_id"), "responsibility", ["import_id"], unique=False)
    op.create_index(
        op.f("ix_responsibility_organisation_id"), "responsibility", ["organisation_id"], unique=False
    )
    op.create_index(op.f("ix_responsibility_person_id"), "responsibility", ["person_id"], unique=False)
    op.create_index(op.f("ix_responsibility_point_id"), "responsibility", ["point_id"], unique=False)
    op.create_index(op.f("ix_responsibility_road_id"), "responsibility", ["road_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("problem_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_event_import_id")),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name=op.f("fk_event_problem_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("uid", name=op.f("uq_event_uid")),
    )
    op.create_index(op.f("ix_event_import_id"), "event", ["import_id"], unique=False)
    op.create_index(op.f("ix_event_problem_id"), "event", ["problem_id"], unique=False)
    op.create_table(
        "grant",
        sa.Column("login_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role <> ''", name=op.f("ck_grant_role_named")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_grant_area_id")),
        sa.ForeignKeyConstraint(
            ["login_id"], ["login.id"], name=op.f("fk_grant_login_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_grant_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        sa.UniqueConstraint("uid", name=op.f("uq_grant_uid")),
    )
    op.create_index(op.f("ix_grant_login_id"), "grant", ["login_id"], unique=False)


def downgrade() -> None:

    op.drop_index(op.f("ix_grant_login_id"), table_name="grant")
    op.drop_table("grant")
    op.drop_index(op.f("ix_event_problem_id"), table_name="event")
    op.drop_index(op.f("ix_event_import_id"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_responsibility_road_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_point_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_person_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_organisation_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_import_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_cell_id"), table_name="responsibility")
    op.drop_index(op.f("ix_responsibility_area_id"), table_name="responsibility")
    op.drop_table("responsibility")
    op.drop_index("ix_problem_state_due_at", table_name="problem")
    op.drop_index(op.f("ix_problem_road_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_person_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_organisation_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_import_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_found_at"), table_name="problem")
    op.drop_index(op.f("ix_problem_change"), table_name="problem")
    op.drop_index(op.f("ix_problem_cell_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_category_id"), table_name="problem")
    op.drop_index(op.f("ix_problem_area_id"), table_name="problem")
    op.drop_geospatial_index(
        "idx_problem_geometry", table_name="problem", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("problem")
    op.drop_index(op.f("ix_login_person_id"), table_name="login")
    op.drop_table("login")
    op.drop_index(op.f("ix_person_phone"), table_name="person")
    op.drop_index(op.f("ix_person_organisation_id"), table_name="person")
    op.drop_index(op.f("ix_person_name"), table_name="person")
    op.drop_index(op.f("ix_person_import_id"), table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("ix_inspection_point_site_type"), table_name="inspection_point")
    op.drop_index(op.f("ix_inspection_point_name"), table_name="inspection_point")
    op.drop_index(op.f("ix_inspection_point_import_id"), table_name="inspection_point")
    op.drop_index(op.f("ix_inspection_point_code"), table_name="inspection_point")
    op.drop_index(op.f("ix_inspection_point_cell_id"), table_name="inspection_point")
    op.drop_index(op.f("ix_inspection_point_area_id"), table_name="inspection_point")
    op.drop_geospatial_index(
        "idx_inspection_point_geometry",
        table_name="inspection_point",
        postgresql_using="gist",
        column_name="geometry",
    )
    op.drop_geospatial_table("inspection_point")
    op.drop_index(op.f("ix_category_parent_id"), table_name="category")
    op.drop_index(op.f("ix_category_name"), table_name="category")
    op.drop_index(op.f("ix_category_import_id"), table_name="category")
    op.drop_table("category")
    op.drop_index(op.f("ix_priority_road_name"), table_name="priority_road")
    op.drop_index(op.f("ix_priority_road_import_id"), table_name="priority_road")
    op.drop_index(op.f("ix_priority_road_code"), table_name="priority_road")
    op.drop_index(op.f("ix_priority_road_area_id"), table_name="priority_road")
    op.drop_geospatial_index(
        "idx_priority_road_geometry",
        table_name="priority_road",
        postgresql_using="gist",
        column_name="geometry",
    )
    op.drop_geospatial_table("priority_road")
    op.drop_index(op.f("ix_organisation_import_id"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_area_id"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_index(op.f("ix_grid_cell_import_id"), table_name="grid_cell")
    op.drop_index(op.f("ix_grid_cell_code"), table_name="grid_cell")
    op.drop_index(op.f("ix_grid_cell_area_id"), table_name="grid_cell")
    op.drop_geospatial_index(
        "idx_grid_cell_geometry", table_name="grid_cell", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("grid_cell")
    op.drop_index(op.f("ix_surface_import_id"), table_name="surface")
    op.drop_geospatial_index(
        "idx_surface_geometry", table_name="surface", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("surface")
    op.drop_index(op.f("ix_street_name"), table_name="street")
    op.drop_index(op.f("ix_street_import_id"), table_name="street")
    op.drop_geospatial_index(
        "idx_street_geometry", table_name="street", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("street")
    op.drop_index("ix_import_change_import_id_table_name", table_name="import_change")
    op.drop_table("import_change")
    op.drop_index(op.f("ix_building_import_id"), table_name="building")
    op.drop_geospatial_index(
        "idx_building_geometry", table_name="building", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("building")
    op.drop_index(op.f("ix_area_parent_id"), table_name="area")
    op.drop_index(op.f("ix_area_name"), table_name="area")
    op.drop_index(op.f("ix_area_import_id"), table_name="area")
    op.drop_index(op.f("ix_area_code"), table_name="area")
    op.drop_geospatial_index(
        "idx_area_geometry", table_name="area", postgresql_using="gist", column_name="geometry"
    )
    op.drop_geospatial_table("area")
    op.drop_table("import")
    op.drop_table("change_clock")
