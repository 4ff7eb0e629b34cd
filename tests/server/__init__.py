"""Tests of ``redislua.server``."""
