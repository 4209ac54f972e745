"""The life of a problem: which steps there are, who may take them, and taking them."""
