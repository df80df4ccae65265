"""What users run into, in large counts: each module has `run(count)`, which returns a line with what it saw."""
