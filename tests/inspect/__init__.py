"""What looks at running servers: doctor, monitor, slots, the table of latencies."""
