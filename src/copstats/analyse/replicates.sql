-- Columns of every record, in the order in which the records stand; it aggregates nothing, so that several
-- queries have their rows in the same order and no digit depends on how the engine shares the work.
WITH wave AS (
  ${wave}
),
skips AS (  -- NAME__no: a valid negative answer caused the skip
  SELECT *${skips}
  FROM wave
)
SELECT
  ${columns}
FROM skips
