"""One quantity over time: since when is it as it is, and where does it go? Pure: points in, verdict out."""
