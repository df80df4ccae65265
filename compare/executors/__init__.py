"""The parent's side of a worker: starts it, asks it, listens to it, and ends it."""
