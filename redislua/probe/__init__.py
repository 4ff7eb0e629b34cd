"""Instruments that watch a script run on a real server."""
