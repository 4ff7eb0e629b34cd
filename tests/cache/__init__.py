"""Tests of the ``cache`` family."""
