"""Lua 5.1 syntax, as the server reads it."""
