"""From a blueprint and a pool of items to one form. Pure: the seed is passed in."""
