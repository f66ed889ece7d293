"""Numbers about source files: names by line, size, shape. Read in a short-lived child; never the text."""
