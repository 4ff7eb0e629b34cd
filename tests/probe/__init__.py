"""Tests of ``redislua.probe``."""
