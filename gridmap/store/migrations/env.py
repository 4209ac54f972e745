"""Alembic's entry: hands it the connection it was given and hides SpatiaLite's own tables."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Enum

from gridmap.store.base import UTCDateTime
from gridmap.store.tables import metadata

SPATIALITE_TABLES = {"data_licenses", "knn", "knn2", "spatialindex", "sql_statements_log"} | {
    "elementarygeometries"
}


def include_object(thing, name, kind, reflected, compare_to):  # noqa: ANN001, ANN201 - Alembic's signature
    if kind == "table" and name.lower() in SPATIALITE_TABLES:
        return False
    return alembic_helpers.include_object(thing, name, kind, reflected, compare_to)


def render_item(kind, thing, autogen_context):  # noqa: ANN001, ANN201 - Alembic's signature
    if kind == "type" and isinstance(thing, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, Enum):
        return f"sa.String(length={thing.length})"
    return alembic_helpers.render_item(kind, thing, autogen_context)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=render_item,
    transaction_per_migration=False,
    transactional_ddl=True,
)
context.run_migrations()
