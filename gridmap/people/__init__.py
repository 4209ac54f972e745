"""Organisations, persons, logins, roles and permissions."""
