-- Withheld cells by survey, indicator and reason; read from published cells, the profile and nothing else.
WITH national AS (  -- share of the rarer answer as published for the whole survey
  SELECT source, indicator, least(value, 100 - value) / 100 AS rarer_share
  FROM indicator_value
  WHERE unit_measure = 'PCNT' AND standardised = 'N' AND ${is_total}
),
judged AS (
  SELECT
    cell.*,
    CASE WHEN source IN (SELECT source FROM raised) THEN 'B' ELSE indicator_tier.tier END AS tier,
    count(*) OVER (PARTITION BY source, indicator) AS of_cells
  FROM indicator_value AS cell
  LEFT JOIN indicator_tier USING (indicator)
  WHERE standardised = 'N'
),
withheld AS (
  SELECT ref_area, survey, time_period, source, indicator, tier, of_cells, reason, rule, count(*) AS cells
  FROM judged
  JOIN reason_rule USING (reason)
  GROUP BY ALL
),
needed AS (  -- more answers help against R1 and R2 only
  SELECT
    withheld.*,
    CASE WHEN reason IN ('n', 'low', 'high') AND rarer_share > 0
      THEN ceil(greatest(answers, events / rarer_share) - 1e-9)::BIGINT
    END AS answers_needed
  FROM withheld
  LEFT JOIN national USING (source, indicator)
  LEFT JOIN minimum USING (tier)
)
SELECT
  ref_area,
  survey,
  time_period,
  indicator,
  tier,
  reason,
  rule,
  cells,
  of_cells,
  answers_needed,
  band.code AS n_band_needed,
  source
FROM needed
ASOF LEFT JOIN band ON needed.answers_needed >= band.from_n
ORDER BY ref_area, survey, time_period, indicator, reason, source
