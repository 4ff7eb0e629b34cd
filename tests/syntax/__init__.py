"""Tests of ``redislua.syntax``."""
