-- Tokens by their public id; the newest revision of each counts. Of the secret there is a digest only.
CREATE TABLE IF NOT EXISTS tokens ${cluster}
(
    token_id   String,
    name       String,
    -- SHA-256, in hexadecimal digits.
    digest     String,
    may_read   UInt8,
    may_admin  UInt8,
    may_write  Array(String),
    created_at DateTime64(3, 'UTC'),
    created_by String,
    -- The year 2100 where it does not end by itself.
    ends_at    DateTime('UTC'),
    revoked_by String,
    revision   UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
ORDER BY token_id
TTL ends_at + toIntervalDay(${hour_days}) DELETE WHERE ends_at < toDateTime('2100-01-01 00:00:00', 'UTC');

-- Who called the admin service, from where, for what, and what came of it.
CREATE TABLE IF NOT EXISTS audit ${cluster}
(
    called_at  DateTime64(3, 'UTC'),
    entry_id   UInt64,
    token_id   String,
    token_name String,
    peer       String,
    method     LowCardinality(String),
    request    String,
    outcome    LowCardinality(String)
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (called_at, entry_id)
TTL toDateTime(called_at) + toIntervalDay(${hour_days});
