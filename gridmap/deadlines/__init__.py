"""When things must be done: the working calendar, limits, and what follows when they pass."""
