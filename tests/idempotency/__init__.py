"""Tests of the ``idempotency`` family."""
