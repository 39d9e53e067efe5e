-- Which record of the later version is which of the earlier one: first the same key and content, then the same
-- content whatever its key, then the same key. A record of the same content is the same record: an office may have
-- numbered its file anew, and then every record would seem to have changed.
WITH
earlier AS (
  SELECT *, row_number() OVER (PARTITION BY record_key, record_content ORDER BY position) AS copy FROM earlier_states
),
later AS (
  SELECT *, row_number() OVER (PARTITION BY record_key, record_content ORDER BY position) AS copy FROM later_states
),
untouched AS (
  SELECT earlier.position AS before, later.position AS after
  FROM earlier JOIN later USING (record_key, record_content, copy)
),
earlier_left AS (
  SELECT
    position, record_key, record_content,
    row_number() OVER (PARTITION BY record_content ORDER BY record_key, position) AS copy
  FROM earlier WHERE position NOT IN (SELECT before FROM untouched)
),
later_left AS (
  SELECT
    position, record_key, record_content,
    row_number() OVER (PARTITION BY record_content ORDER BY record_key, position) AS copy
  FROM later WHERE position NOT IN (SELECT after FROM untouched)
),
renamed AS (
  SELECT earlier_left.position AS before, later_left.position AS after
  FROM earlier_left JOIN later_left USING (record_content, copy)
),
earlier_rest AS (
  SELECT position, record_key, row_number() OVER (PARTITION BY record_key ORDER BY position) AS copy
  FROM earlier_left WHERE position NOT IN (SELECT before FROM renamed)
),
later_rest AS (
  SELECT position, record_key, row_number() OVER (PARTITION BY record_key ORDER BY position) AS copy
  FROM later_left WHERE position NOT IN (SELECT after FROM renamed)
),
corrected AS (
  SELECT earlier_rest.position AS before, later_rest.position AS after
  FROM earlier_rest FULL JOIN later_rest USING (record_key, copy)
)
SELECT coalesce(before, -1) AS before, coalesce(after, -1) AS after
FROM (FROM untouched UNION ALL FROM renamed UNION ALL FROM corrected)
