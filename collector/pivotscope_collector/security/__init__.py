"""Who calls, and what they may do: tokens, rights, limits of calls, and the record of what administrators did."""
