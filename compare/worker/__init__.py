"""The child's side: ``python -m compare.worker`` answers requests, one line of JSON each, until its input closes.

Nothing outside this folder imports it: it may stand in another interpreter, with one framework and no other.
"""
