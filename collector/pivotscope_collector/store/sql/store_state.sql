-- One row on the state of the store.
SELECT
    version() AS engine_version,
    (SELECT max(number) FROM migrations) AS schema_version,
    (SELECT greatest(1, dateDiff('second', min(migrations.applied_at), now()) / 86400) FROM migrations) AS age_days,
    (SELECT count() FROM windows WHERE started_at > now() + INTERVAL 10 MINUTE) AS future_windows,
    (SELECT count() FROM system.replicas WHERE database IN (currentDatabase(), concat(currentDatabase(), '_local')) AND is_readonly) AS readonly_replicas,
    (SELECT toUInt64(sum(unreserved_space)) FROM system.disks WHERE name = 'default') AS free_bytes
