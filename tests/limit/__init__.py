"""Tests of the ``limit`` family."""
