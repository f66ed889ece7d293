-- Every token, valid or ended, in the order in which they were made.
SELECT
    token_id,
    name,
    digest,
    may_read,
    may_admin,
    may_write,
    toUnixTimestamp64Milli(created_at) AS created_ms,
    created_by,
    toUnixTimestamp(ends_at) AS ends,
    revoked_by
FROM tokens FINAL
ORDER BY created_at, token_id
