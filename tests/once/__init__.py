"""Tests of the ``once`` family."""
