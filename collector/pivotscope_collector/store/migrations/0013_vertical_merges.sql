-- Large parts are merged a column at a time: with all forty-six at once a merge of twelve keeps as many buffers a part.
ALTER TABLE windows ${cluster} MODIFY SETTING vertical_merge_algorithm_min_rows_to_activate = 1;
