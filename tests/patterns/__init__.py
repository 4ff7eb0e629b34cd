"""Tests of the classes written by hand."""
