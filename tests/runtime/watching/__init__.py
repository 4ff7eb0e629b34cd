"""Tests of what watches calls."""
