"""Calls made at the same moment: that they travel together, and touch one another in nothing."""
