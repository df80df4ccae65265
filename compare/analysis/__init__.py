"""What may be concluded from a run: speeds and accuracies compared, ranked and put into one sentence."""
