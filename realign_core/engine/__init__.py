"""Passes over rows, and the writing of shards, on the workers of a Ray cluster.

Only the files here import Ray, and only the command line imports them, when it is asked to.
"""
