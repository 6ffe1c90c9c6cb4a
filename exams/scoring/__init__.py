"""From a response to a point, from points to a verdict. No Django, no clock, no randomness."""
