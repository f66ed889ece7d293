"""The application's own series: which to read, how to read them, and what they become."""
