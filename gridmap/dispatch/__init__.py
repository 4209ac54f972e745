"""Which organisation a checked problem goes to."""
