-- Migrations in the store's journal.
SELECT number, argMax(name, applied_at) AS name, argMax(checksum, applied_at) AS checksum,
    toUnixTimestamp(min(migrations.applied_at)) AS applied
FROM migrations
GROUP BY number
ORDER BY number
