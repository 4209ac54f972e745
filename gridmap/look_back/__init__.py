"""Looking again at closed problems (回头看): samples, the checks they become, and what came of them."""
