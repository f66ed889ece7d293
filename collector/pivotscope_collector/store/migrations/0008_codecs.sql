-- What takes fewer bytes at no more CPU, measured over a fleet's rows. Level 5 of ZSTD finds matches of several stack ids
-- where level 3 finds them one by one; functions of a pool come in the same order in each minute, so totals and their
-- moments differ little in their leading bits. Parts written before keep their codecs until they are merged.
ALTER TABLE windows ${cluster} MODIFY COLUMN stack_ids Array(UInt64) CODEC(ZSTD(5));
ALTER TABLE functions_minute ${cluster}
    MODIFY COLUMN total UInt64 CODEC(T64('bit'), ZSTD(1)),
    MODIFY COLUMN total_y Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_yy Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_xy Float32 CODEC(Gorilla, ZSTD(1));
ALTER TABLE functions_hour ${cluster}
    MODIFY COLUMN total UInt64 CODEC(T64('bit'), ZSTD(1)),
    MODIFY COLUMN total_y Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_yy Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_xy Float32 CODEC(Gorilla, ZSTD(1));
ALTER TABLE functions_day ${cluster}
    MODIFY COLUMN total UInt64 CODEC(T64('bit'), ZSTD(1)),
    MODIFY COLUMN total_y Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_yy Float32 CODEC(Gorilla, ZSTD(1)),
    MODIFY COLUMN total_xy Float32 CODEC(Gorilla, ZSTD(1));
