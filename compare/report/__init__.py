"""Shows what is stored: terminal tables now; other forms beside them."""
