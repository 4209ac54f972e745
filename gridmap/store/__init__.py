"""The database: one code for SpatiaLite (embedded) and PostGIS."""
