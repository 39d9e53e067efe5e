-- Share of the weight of each domain at or below each answer.
CREATE OR REPLACE TEMP TABLE cumulated AS
WITH answers AS (
  ${records}
),
members AS (  -- a record is in one domain of every disaggregation, or in none
  SELECT w, y_{m} AS answer, unnest([${numbers}]) AS domain
  FROM answers
),
weights AS (
  SELECT domain, answer, sum(w) AS w
  FROM members
  WHERE domain IS NOT NULL AND answer IS NOT NULL
  GROUP BY domain, answer
)
SELECT
  domain,
  answer,
  sum(w) OVER (PARTITION BY domain ORDER BY answer) / sum(w) OVER (PARTITION BY domain) AS share
FROM weights
