"""Tests of the ``lock`` family."""
