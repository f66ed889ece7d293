-- Parts of tables that the engine found damaged and set aside, by table.
SELECT table, count() AS parts
FROM system.detached_parts
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_local')) AND reason LIKE 'broken%'
GROUP BY table
ORDER BY table
