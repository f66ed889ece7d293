-- Calls of the admin service, newest first.
SELECT toUnixTimestamp64Milli(called_at) AS called_ms, token_id, token_name, peer, method, request, outcome
FROM audit FINAL
WHERE called_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY called_at DESC, entry_id
LIMIT {limit:UInt32}
