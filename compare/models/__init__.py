"""What a trained model is good for: answers to new inputs, and conversion to and from the frameworks' own files."""
