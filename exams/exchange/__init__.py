"""Items to and from other programs' formats, with a report of what was lost. Pure: no Django."""
