"""Tests of breaker."""
