"""Tests of backoff."""
