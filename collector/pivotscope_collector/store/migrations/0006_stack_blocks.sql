-- Stack ids are what windows are mostly made of, and come again and again: larger blocks see more of the repetitions.
-- Parts written before keep their blocks until they are merged.
ALTER TABLE windows ${cluster} MODIFY COLUMN stack_ids Array(UInt64) CODEC(ZSTD(3))
    SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304);
