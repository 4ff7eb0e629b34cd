"""What a script is: the header grammar, frozen values, discovery. No I/O but reading files."""
