"""Ways to show a result: tables, sparklines, flame graphs."""
