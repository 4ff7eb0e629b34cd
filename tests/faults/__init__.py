"""Every fault that concerns a client, met by every form of a call."""
