"""How the two sides reach each other: addresses, certificate files, and what is wrong with a connection, in words."""
