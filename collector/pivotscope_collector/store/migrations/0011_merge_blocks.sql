-- A window is as large as a hundred rows of other tables. Merges hold a block of each part that they read.
ALTER TABLE windows ${cluster} MODIFY SETTING merge_max_block_size = 512;
