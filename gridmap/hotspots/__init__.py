"""The in-process snapshot of problems and the heat drawn from it."""
