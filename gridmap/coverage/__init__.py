"""Is every piece of ground held by somebody: audit, repair, drawing new cells."""
