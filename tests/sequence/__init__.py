"""Tests of sequence."""
