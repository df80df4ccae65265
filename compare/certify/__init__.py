"""Certificates: what evidence is needed, and how it is judged. Pure: starts no process."""
