"""The API under /api/v1: read access for pages and for other programs."""
