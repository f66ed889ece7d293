-- One row on the state of the store.
SELECT
    version() AS engine_version,
    (SELECT max(number) FROM migrations) AS schema_version,
    (SELECT count() FROM system.detached_parts WHERE database = currentDatabase() AND reason LIKE 'broken%') AS broken_parts,
    (SELECT count() FROM windows WHERE started_at > now() + INTERVAL 10 MINUTE) AS future_windows
