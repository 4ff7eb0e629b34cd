"""Finds what breaks in Redis Lua before a server sees it: one rule per file, and their engine."""
