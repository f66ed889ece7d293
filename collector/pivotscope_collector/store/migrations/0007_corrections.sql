-- Batches with windows whose times lay beyond what is kept in detail, and the moment at which those were booked
-- instead: the first one, so that a batch that comes again finds its windows where they are.
CREATE TABLE IF NOT EXISTS corrections ${cluster}
(
    -- Hash over (agent, epoch, sequence).
    batch_id   UInt64,
    agent      String,
    late       UInt32,
    future     UInt32,
    placed_at  DateTime64(6, 'UTC'),
    precedence UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(precedence)
ORDER BY batch_id
TTL toDateTime(placed_at) + toIntervalDay(${raw_days});
