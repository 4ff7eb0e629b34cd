"""The rig: clusters, Sentinel sets, crowds of callers, and what judges their histories."""
