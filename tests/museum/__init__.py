"""Known ways to get these operations wrong, each reproduced, and beside it how it is done here.

The numbers are those of the project's list of reproductions. A test first shows the mistake on a
real server, in the shortest script that makes it, and then what the catalogue does instead.
"""
