-- Codebases that have sent functions of their own, or facts.
SELECT codebase
FROM
(
    SELECT codebase FROM codebases
    UNION DISTINCT
    SELECT codebase FROM functions WHERE owner = 'application'
)
ORDER BY codebase
