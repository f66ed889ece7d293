-- Values of a name in a table of pools or series.
SELECT DISTINCT ${name} AS value FROM ${table} WHERE ${pools}
