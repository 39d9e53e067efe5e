-- Cells published of both rounds of a survey, side by side, with what the restricted side says of their change.
WITH rounds AS (
  SELECT DISTINCT source_from, source_to FROM round_pair
),
earlier AS MATERIALIZED (  -- first each round's own cells: joined by cell alone, all surveys would meet all others
  SELECT rounds.*, indicator_value.*
  FROM rounds
  JOIN indicator_value ON indicator_value.source = rounds.source_from
),
both_rounds AS (
  SELECT
    earlier.source_from,
    earlier.source_to,
    earlier.time_period AS time_period_from,
    later.time_period AS time_period_to,
    earlier.value AS value_from,
    later.value AS value_to,
    earlier.se AS se_from,
    later.se AS se_to,
    coalesce(
      CASE WHEN earlier.value IS NULL THEN earlier.reason END,
      CASE WHEN later.value IS NULL THEN later.reason END
    ) AS reason_of_value,
    greatest(step_from.step, step_to.step) AS error_step,
    later.* EXCLUDE (time_period, value, se, comparability, comparability_reasons)
  FROM earlier
  JOIN indicator_value AS later
    ON later.source = earlier.source_to AND later.unit_measure = earlier.unit_measure AND ${same_cell}
  LEFT JOIN error_step AS step_from ON step_from.n_band = earlier.n_band
  LEFT JOIN error_step AS step_to ON step_to.n_band = later.n_band
  WHERE later.region = '_T' AND later.unit_measure = 'PCNT'
    AND NOT (earlier.obs_status = 'L' AND later.obs_status = 'L')
),
judged AS (  -- a standardised value is not among the estimates: its error follows from the published ones
  SELECT
    both_rounds.*,
    round_pair.comparability,
    round_pair.comparability_reasons,
    round_pair.df,
    CASE WHEN standardised = 'N' THEN 100 * round_pair.se ELSE sqrt(se_from * se_from + se_to * se_to) END
      AS computed_se,
    CASE
      WHEN standardised <> 'N' AND round_pair.samples = 'linked' THEN 'assumed_independent'
      ELSE round_pair.samples
    END AS samples
  FROM both_rounds
  LEFT JOIN round_pair USING (source_from, source_to, indicator, ${dimensions})
)
SELECT
  *,
  CASE
    WHEN comparability = 'C' THEN 'not_comparable'
    WHEN reason_of_value IS NOT NULL THEN reason_of_value
    WHEN comparability IS NULL THEN 'unknown'
    WHEN computed_se IS NULL OR coalesce(df, 0) < 1 THEN 'no_variance'
  END AS reason_of_change
FROM judged
ORDER BY ref_area, survey, time_period_from, indicator, ${dimensions}, standardised, source_from, source_to
