-- Placeholders: ${cluster} renders ON CLUSTER or nothing, ${replicated} the engine's prefix,
-- ${raw_days}, ${minute_days}, ${hour_days}, ${day_days}, ${dictionary_days} the TTLs of the settings.
-- Identity, not insertion, makes a row count once: the sorting key of raw rows holds what names them.

CREATE TABLE IF NOT EXISTS functions ${cluster}
(
    function_id    UInt64,
    codebase       LowCardinality(String),
    language       LowCardinality(String),
    path           String,
    qualified_name String,
    owner          LowCardinality(String),
    seen_at        DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY function_id
TTL seen_at + toIntervalDay(${dictionary_days});

CREATE TABLE IF NOT EXISTS stacks ${cluster}
(
    stack_id  UInt64,
    functions Array(UInt64),
    seen_at   DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY stack_id
TTL seen_at + toIntervalDay(${dictionary_days});

-- One look at one process, with its samples. window_id is a hash over (agent, epoch, sequence, position in the batch).
CREATE TABLE IF NOT EXISTS windows ${cluster}
(
    minute             DateTime('UTC') CODEC(Delta, ZSTD(1)),
    service            LowCardinality(String) CODEC(ZSTD(1)),
    environment        LowCardinality(String) CODEC(ZSTD(1)),
    version            LowCardinality(String) CODEC(ZSTD(1)),
    variant            LowCardinality(String) CODEC(ZSTD(1)),
    language           LowCardinality(String) CODEC(ZSTD(1)),
    mode               LowCardinality(String) CODEC(ZSTD(1)),
    window_id          UInt64 CODEC(ZSTD(1)),
    agent              LowCardinality(String) CODEC(ZSTD(1)),
    epoch              UInt64 CODEC(ZSTD(1)),
    sequence           UInt64 CODEC(T64, ZSTD(1)),
    position           UInt16 CODEC(T64, ZSTD(1)),
    instance           LowCardinality(String) CODEC(ZSTD(1)),
    host               LowCardinality(String) CODEC(ZSTD(1)),
    pid                UInt32 CODEC(T64, ZSTD(1)),
    process_started_at DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    runtime_version    LowCardinality(String) CODEC(ZSTD(1)),
    container          LowCardinality(String) CODEC(ZSTD(1)),
    outcome            LowCardinality(String) CODEC(ZSTD(1)),
    reason             LowCardinality(String) CODEC(ZSTD(1)),
    -- Corrected by the clock offset that the agent measured, and as the agent's own clock had it.
    started_at         DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    agent_started_at   DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    received_at        DateTime64(6, 'UTC') CODEC(T64, ZSTD(1)),
    duration_ns        UInt64 CODEC(T64, ZSTD(1)),
    rate_hz            UInt16 CODEC(T64, ZSTD(1)),
    ticks              UInt32 CODEC(T64, ZSTD(1)),
    late               UInt32 CODEC(T64, ZSTD(1)),
    errors             UInt32 CODEC(T64, ZSTD(1)),
    samples            UInt64 CODEC(T64, ZSTD(1)),
    native_samples     UInt64 CODEC(T64, ZSTD(1)),
    -- What one sample stands for: duration / ticks, or 1 / rate where ticks are unknown.
    period_ns          UInt64 CODEC(T64, ZSTD(1)),
    cpu_user_ns        UInt64 CODEC(T64, ZSTD(1)),
    cpu_system_ns      UInt64 CODEC(T64, ZSTD(1)),
    gap_cpu_ns         UInt64 CODEC(T64, ZSTD(1)),
    sampler_cpu_ns     UInt64 CODEC(T64, ZSTD(1)),
    resident_bytes     UInt64 CODEC(T64, ZSTD(1)),
    proportional_bytes UInt64 CODEC(T64, ZSTD(1)),
    read_bytes         UInt64 CODEC(T64, ZSTD(1)),
    written_bytes      UInt64 CODEC(T64, ZSTD(1)),
    threads            UInt32 CODEC(T64, ZSTD(1)),
    -- Time that preempted threads waited for a processor.
    run_delay_ns       UInt64 CODEC(T64, ZSTD(1)),
    -- Its samples, as arrays of equal length in ascending order of stack and line: an element is one stack with one
    -- line of its leaf (0: unknown). Beside the stacks, so that an edit of a file does not fork a history.
    stack_ids          Array(UInt64) CODEC(ZSTD(3)),
    lines              Array(UInt32) CODEC(T64, ZSTD(1)),
    counts             Array(UInt32) CODEC(T64, ZSTD(1)),
    natives            Array(UInt32) CODEC(T64, ZSTD(1)),
    INDEX received received_at TYPE minmax GRANULARITY 1
)
ENGINE = ${replicated}ReplacingMergeTree(received_at)
PARTITION BY toYYYYMMDD(minute)
ORDER BY (service, minute, environment, version, variant, language, mode, window_id)
TTL minute + toIntervalDay(${raw_days});

-- One row a stack and line of a window. Filters on a pool and on minutes reach the index of the windows.
CREATE VIEW IF NOT EXISTS samples ${cluster} AS
SELECT
    minute, service, environment, version, variant, language, mode, window_id, period_ns,
    stack_id, line, count, native
FROM windows FINAL
ARRAY JOIN stack_ids AS stack_id, lines AS line, counts AS count, natives AS native;

-- What every process of a pool used and how much of it windows covered. A pool is
-- (service, environment, version, variant, language); CPU is per mode of the window that measured it.
CREATE TABLE IF NOT EXISTS pools_minute ${cluster}
(
    bucket            DateTime('UTC') CODEC(Delta, LZ4),
    service           LowCardinality(String),
    environment       LowCardinality(String),
    version           LowCardinality(String),
    variant           LowCardinality(String),
    language          LowCardinality(String),
    mode              LowCardinality(String),
    windows           UInt64,
    complete          UInt64,
    samples           UInt64,
    native_samples    UInt64,
    -- Moments over windows of x = samples * period, in nanoseconds: their sums carry the variance.
    x                 UInt64,
    xx                Float64,
    -- What x would be had each look found one thread.
    looked_ns         UInt64,
    -- CPU in complete windows, in windows skipped by choice, in failed windows, between windows.
    complete_cpu_ns   UInt64,
    skipped_cpu_ns    UInt64,
    failed_cpu_ns     UInt64,
    gap_cpu_ns        UInt64,
    sampler_cpu_ns    UInt64,
    -- Time that preempted threads waited for a processor in complete windows.
    complete_delay_ns UInt64,
    -- Part of the pool's CPU in this minute that its windows stand for, and the rest.
    attributed_ns     UInt64,
    unattributed_ns   UInt64,
    processes         UInt32,
    resident_bytes    UInt64,
    read_bytes        UInt64,
    written_bytes     UInt64,
    revision          UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, environment, version, variant, language, mode)
TTL bucket + toIntervalDay(${minute_days});

-- Functions of a pool. Recursion counts once. The moments over windows of y = samples * period
-- give the variance of the share y / x clustered by window, over any range, by adding rows up.
CREATE TABLE IF NOT EXISTS functions_minute ${cluster}
(
    bucket       DateTime('UTC') CODEC(Delta, ZSTD(1)),
    service      LowCardinality(String) CODEC(ZSTD(1)),
    environment  LowCardinality(String) CODEC(ZSTD(1)),
    version      LowCardinality(String) CODEC(ZSTD(1)),
    variant      LowCardinality(String) CODEC(ZSTD(1)),
    language     LowCardinality(String) CODEC(ZSTD(1)),
    mode         LowCardinality(String) CODEC(ZSTD(1)),
    -- In blocks large enough to see that each pool has the same functions as the one before.
    function_id  UInt64 CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 1048576, max_compress_block_size = 1048576),
    self         UInt64 CODEC(T64, ZSTD(1)),
    total        UInt64 CODEC(T64, ZSTD(1)),
    self_native  UInt64 CODEC(T64, ZSTD(1)),
    total_native UInt64 CODEC(T64, ZSTD(1)),
    -- Counts are exact. Moments are rounded to 16 bits of mantissa: five digits, one hundredth of the narrowest interval.
    self_y       Float32 CODEC(ZSTD(1)),
    self_yy      Float32 CODEC(ZSTD(1)),
    self_xy      Float32 CODEC(ZSTD(1)),
    total_y      Float32 CODEC(ZSTD(1)),
    total_yy     Float32 CODEC(ZSTD(1)),
    total_xy     Float32 CODEC(ZSTD(1)),
    windows      UInt32 CODEC(T64, ZSTD(1)),
    revision     UInt64 CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, environment, version, variant, language, mode, function_id)
TTL bucket + toIntervalDay(${minute_days});

CREATE TABLE IF NOT EXISTS pools_hour ${cluster} AS pools_minute
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, environment, version, variant, language, mode)
TTL bucket + toIntervalDay(${hour_days});

-- By function within a day, so that a trend of one function reads that function, in marks and blocks as small as what it
-- needs of a day. Minutes are written too often for it.
CREATE TABLE IF NOT EXISTS functions_hour ${cluster} AS functions_minute
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, toStartOfDay(bucket), function_id, bucket, environment, version, variant, language, mode)
TTL bucket + toIntervalDay(${hour_days})
SETTINGS index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 8192;

ALTER TABLE functions_hour ${cluster} MODIFY COLUMN function_id UInt64 CODEC(ZSTD(1))
    SETTINGS (min_compress_block_size = 8192, max_compress_block_size = 8192);

CREATE TABLE IF NOT EXISTS pools_day ${cluster} AS pools_minute
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYear(bucket)
ORDER BY (service, bucket, environment, version, variant, language, mode)
TTL bucket + toIntervalDay(${day_days});

-- By function within a week.
CREATE TABLE IF NOT EXISTS functions_day ${cluster} AS functions_hour
ENGINE = ${replicated}ReplacingMergeTree(revision)
PARTITION BY toYear(bucket)
ORDER BY (service, toMonday(bucket), function_id, bucket, environment, version, variant, language, mode)
TTL bucket + toIntervalDay(${day_days})
SETTINGS index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 8192;

-- Minutes that were rolled up, and up to which moment of reception. A minute with a window received
-- after `received_until` is dirty: queries read it from raw, and the next roll-up replaces it.
CREATE TABLE IF NOT EXISTS rolled ${cluster}
(
    minute         DateTime('UTC'),
    received_until DateTime64(6, 'UTC'),
    revision       UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
ORDER BY minute
TTL minute + toIntervalDay(${raw_days});

CREATE TABLE IF NOT EXISTS series ${cluster}
(
    series_id   UInt64,
    service     LowCardinality(String),
    environment LowCardinality(String),
    version     LowCardinality(String),
    variant     LowCardinality(String),
    instance    LowCardinality(String),
    name        LowCardinality(String),
    kind        LowCardinality(String),
    role        LowCardinality(String),
    unit        LowCardinality(String),
    labels      Map(LowCardinality(String), String),
    bounds      Array(Float64),
    seen_at     DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY (service, series_id)
TTL seen_at + toIntervalDay(${dictionary_days});

-- Cumulative values as the agents read them; differences are taken at query time.
CREATE TABLE IF NOT EXISTS points ${cluster}
(
    service    LowCardinality(String),
    series_id  UInt64,
    at         DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    start_at   DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    value      Float64,
    count      UInt64,
    buckets    Array(UInt64)
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (service, series_id, at)
TTL toDateTime(at) + toIntervalDay(${minute_days});

CREATE TABLE IF NOT EXISTS code_functions ${cluster}
(
    codebase       LowCardinality(String),
    language       LowCardinality(String),
    path           String,
    qualified_name String,
    first_line     UInt32,
    last_line      UInt32,
    complexity     UInt32,
    loops          UInt32,
    loop_depth     UInt32,
    parameters     UInt32,
    calls          UInt32,
    attributes     UInt32,
    subscripts     UInt32,
    arithmetic     UInt32,
    awaits         UInt32,
    strings        UInt32,
    keyed          UInt32,
    content_hash   String,
    seen_at        DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY (codebase, language, path, qualified_name)
TTL seen_at + toIntervalDay(${dictionary_days});

CREATE TABLE IF NOT EXISTS codebases ${cluster}
(
    codebase    LowCardinality(String),
    total_files UInt32,
    total_lines UInt64,
    seen_at     DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY codebase
TTL seen_at + toIntervalDay(${dictionary_days});

CREATE TABLE IF NOT EXISTS agents ${cluster}
(
    agent           String,
    epoch           UInt64,
    host            String,
    agent_version   LowCardinality(String),
    abilities       Array(LowCardinality(String)),
    targets         UInt32,
    clock_offset_ns Int64,
    first_seen_at   DateTime64(3, 'UTC'),
    seen_at         DateTime64(3, 'UTC'),
    dropped         Map(LowCardinality(String), UInt64)
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY (agent, epoch)
TTL toDateTime(seen_at) + toIntervalDay(${hour_days});

-- One plan a scope and hour: computing again within the hour replaces it, in any collector.
CREATE TABLE IF NOT EXISTS plans ${cluster}
(
    scope        String,
    as_of        DateTime('UTC'),
    computed_at  DateTime('UTC'),
    content_hash String,
    document     String CODEC(ZSTD)
)
ENGINE = ${replicated}ReplacingMergeTree(computed_at)
ORDER BY (scope, as_of)
TTL as_of + toIntervalDay(${day_days});

CREATE TABLE IF NOT EXISTS scores ${cluster}
(
    as_of          DateTime('UTC'),
    service        LowCardinality(String),
    codebase       LowCardinality(String),
    function_id    UInt64,
    score          Float64,
    saved_core_hours_p50 Float64,
    speedup_p50    Float64,
    verdict        LowCardinality(String),
    revision       UInt64
)
ENGINE = ${replicated}ReplacingMergeTree(revision)
ORDER BY (codebase, function_id, service, as_of)
TTL as_of + toIntervalDay(${day_days});
