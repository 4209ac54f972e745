"""Photos and videos that prove what was found and what was fixed."""
