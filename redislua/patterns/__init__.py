"""Classes written by hand over the bindings, and the clients to use them with."""
