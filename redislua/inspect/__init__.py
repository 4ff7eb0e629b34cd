"""Looking at a running server: doctor, monitor, slots, the table of latencies."""
