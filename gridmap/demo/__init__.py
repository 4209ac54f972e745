"""A district that does not exist, made from a seed: ground, people and three months of problems."""
