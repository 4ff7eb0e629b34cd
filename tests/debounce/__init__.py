"""Tests of debounce."""
