-- Facts of the functions of some files.
SELECT
    codebase, language, path, qualified_name, first_line, last_line, complexity, loops, loop_depth, parameters, calls,
    attributes, subscripts, arithmetic, awaits, strings, keyed
FROM code_functions FINAL
WHERE codebase IN {codebases:Array(String)} AND path IN {paths:Array(String)}
ORDER BY codebase, language, path, qualified_name
