"""The tests. ``pytest --server`` chooses the server; conftest.py says how."""
