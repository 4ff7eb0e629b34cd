"""Tests of ``redislua.runtime``."""
