-- How large some codebases are.
SELECT codebase, total_files, total_lines
FROM codebases FINAL
WHERE codebase IN {codebases:Array(String)}
ORDER BY codebase
