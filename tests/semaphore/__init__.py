"""Tests of the ``semaphore`` family."""
