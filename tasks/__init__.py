"""What is learned: data sets, architectures, recipes. Plain data and NumPy; knows no framework."""

from tasks.registry import available_recipes, available_tasks, load_task

__all__ = ["available_recipes", "available_tasks", "load_task"]
