"""What may be concluded from a run: speeds and accuracies compared, and put into sentences."""
