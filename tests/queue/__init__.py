"""Tests of the ``queue`` family."""
