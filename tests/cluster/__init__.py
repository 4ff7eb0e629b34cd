"""Redis Cluster: the plans without a server, the runtime on real clusters, and soaks."""
