-- Which cells may show a figure, and why the others may not: `reason` is NULL where a figure may be shown.
-- Every rule is asked as "does the cell pass?", and unknown counts as no.
CREATE OR REPLACE TABLE decided AS
WITH consented AS (  -- nothing of a submission without consent, totals only where consent is for national values
  SELECT estimates.*
  FROM estimates JOIN consent USING (submission_id)
  WHERE ${identity_known}
    AND (
      consent.level = 'disaggregated'
      OR (consent.level = 'national' AND disaggregation = 'total' AND ${is_total})
    )
),
measured AS (  -- each cell with the thresholds of its tier and unit, and the dimensions that it crosses
  SELECT
    consented.*,
    rule_set.* EXCLUDE (tier, unit),
    published_table.dimensions AS declared_dimensions,
    n - events AS non_events,
    list_filter([${dimension_if_crossed}], lambda dimension: dimension IS NOT NULL) AS crossed
  FROM consented
  LEFT JOIN rule_set USING (tier, unit)
  LEFT JOIN published_table USING (disaggregation)
),
tested AS (
  SELECT
    *,
    coalesce(
      minimum_n IS NOT NULL
      -- the smaller side of a median never has more than half: what counts all answers is no median
      AND n >= 0 AND events BETWEEN 0 AND CASE statistic WHEN 'median' THEN n // 2 ELSE n END AND psus >= 0
      -- of nobody there is no largest share
      AND (n = 0 OR (largest_psu_share BETWEEN 0 AND 1 AND largest_weight_share BETWEEN 0 AND 1)),
      FALSE
    ) AS counts_known,
    coalesce(
      list_has_all(declared_dimensions, crossed)
      AND len(crossed) <= crossed_dimensions
      AND (len(crossed) <= 1 OR NOT list_has_any(crossed, never_crossed)),
      FALSE
    ) AS table_published,
    coalesce(
      CASE statistic WHEN 'median' THEN events >= minimum_n ELSE n >= minimum_n END, FALSE
    ) AS enough_answers,  -- of a median on its smaller side
    coalesce(psus >= minimum_psus, FALSE) AS enough_psus,
    coalesce(
      largest_psu_share <= maximum_psu_share AND largest_weight_share <= maximum_weight_share, FALSE
    ) AS none_dominates,
    coalesce(statistic = 'median' OR events >= minimum_events, FALSE) AS enough_events,
    coalesce(statistic = 'median' OR non_events >= minimum_events, FALSE) AS enough_non_events,
    coalesce(
      df > 0
      -- limits of a median are answers and may be the same one
      AND isfinite(se) AND (se > 0 OR (statistic = 'median' AND se = 0))
      AND isfinite(ci_lower) AND isfinite(ci_upper)
      AND ci_lower <= estimate AND estimate <= ci_upper
      AND estimate * factor BETWEEN unit_minimum AND unit_maximum,
      FALSE
    ) AS precision_known,
    -- thresholds of a named profile; NULL where none sets them
    statistic = 'median' OR (
      (minimum_effective_n IS NULL OR coalesce(n_effective >= minimum_effective_n, FALSE))
      AND (widest_interval IS NULL OR coalesce(kg_upper - kg_lower < widest_interval, FALSE))
      AND (
        widest_relative_interval IS NULL
        OR coalesce(kg_upper - kg_lower <= narrow_interval, FALSE)
        OR coalesce(kg_upper - kg_lower <= widest_relative_interval * estimate, FALSE)
      )
    ) AS precise_enough
  FROM measured
)
SELECT
  *,
  CASE
    WHEN state IS DISTINCT FROM 'estimated' THEN
      CASE WHEN state = 'absent' AND absent_reason IN (SELECT code FROM reason WHERE obs_status <> 'Q')
        THEN absent_reason ELSE 'unknown' END
    WHEN NOT counts_known THEN 'unknown'
    WHEN NOT table_published THEN 'crossing'
    WHEN NOT enough_answers THEN 'n'
    WHEN NOT enough_psus THEN 'psus'
    WHEN NOT none_dominates THEN 'dominance'
    WHEN NOT enough_events THEN 'low'
    WHEN NOT enough_non_events THEN 'high'
    WHEN NOT precision_known THEN 'no_variance'
    WHEN NOT precise_enough THEN 'unreliable'
  END AS reason
FROM tested
