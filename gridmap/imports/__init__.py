"""Getting a city in: preview, apply, undo."""
