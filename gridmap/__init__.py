"""The domain: places, people, problems, and the store they live in."""

__version__ = "0.1.0"
