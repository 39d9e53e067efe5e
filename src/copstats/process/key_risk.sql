-- Risk by key: how many records of the file share a key, how many persons of the population they stand for,
-- and what follows for each of them. One row for each key that occurs.
WITH records AS (
  SELECT
    ${keys},
    CASE WHEN ${usable} THEN ${weight} ELSE 1 END AS weight_of_record,
    ${sensitive}
  FROM ${table}
),
same_key AS MATERIALIZED (
  SELECT
    row_number() OVER () AS key_no,
    ${keys},
    count(*) AS frequency,
    fsum(weight_of_record) AS population,
    least(${diversities}) AS diversity
  FROM records
  GROUP BY ${keys}
),
unique_sets AS (  -- sets of variables that tell a record from all others; the mask has a bit for each left out
  SELECT any_value(key_no) AS key_no, grouping(${keys}) AS mask
  FROM same_key
  GROUP BY GROUPING SETS (${subsets})
  HAVING sum(frequency) = 1
),
minimal_sets AS (  -- from which no variable can be left out
  SELECT key_no, mask
  FROM unique_sets AS larger
  WHERE NOT EXISTS (
    SELECT 1
    FROM unique_sets AS smaller
    WHERE smaller.key_no = larger.key_no
      AND smaller.mask | larger.mask = smaller.mask
      AND bit_count(smaller.mask) = bit_count(larger.mask) + 1
  )
),
scores AS (  -- a minimal set of m of K variables counts (K - m)!
  SELECT key_no, sum(factorial(bit_count(mask)::INTEGER))::DOUBLE AS suda, bool_or(mask > 0) AS special
  FROM minimal_sets
  GROUP BY key_no
),
sampled AS (
  SELECT *, frequency / population AS p
  FROM same_key
)
SELECT
  ${keys},
  frequency,
  population,
  CASE
    WHEN p >= 1 THEN 1.0 / frequency
    WHEN frequency = 1 THEN p / (1 - p) * -ln(p)
    WHEN frequency = 2 THEN p / (1 - p) + pow(p / (1 - p), 2) * ln(p)
    ELSE p / (frequency - (1 - p))
  END AS risk,
  coalesce(suda, 0) AS suda,
  coalesce(special, FALSE) AS special,
  diversity
FROM sampled
LEFT JOIN scores USING (key_no)
