"""What many attempts say about one item. Pure: no Django, no clock, no randomness."""
