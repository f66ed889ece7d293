-- What a roll-up has covered: every window received by `received_until`, in minutes before `open_from`,
-- is in the rows of this level. Readers look for dirty minutes only beyond it.
CREATE TABLE IF NOT EXISTS progress ${cluster}
(
    level          LowCardinality(String),
    received_until DateTime64(6, 'UTC'),
    open_from      DateTime('UTC'),
    revision       UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
ORDER BY level;
