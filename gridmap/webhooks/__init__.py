"""Telling other systems, and group chats, what happens to problems."""
