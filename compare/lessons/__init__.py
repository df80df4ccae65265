"""Lessons: run in every framework, compared, and shown in a terminal or on a page."""
