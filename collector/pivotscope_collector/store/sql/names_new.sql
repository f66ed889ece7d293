-- Values of a name in windows that the roll-up of minutes may lack: those that came since, and of minutes that it left
-- open; each by an index of its own.
SELECT DISTINCT value
FROM
(
    SELECT ${name} AS value FROM windows
    WHERE ${pools} AND received_at > fromUnixTimestamp64Micro({covered_us:Int64}, 'UTC')
    UNION ALL
    SELECT ${name} AS value FROM windows
    WHERE ${pools} AND minute >= {open_from:UInt32}
)
