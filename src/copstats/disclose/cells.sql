-- The cells of proportions, with what their published form says of the share: between `share_lower` and
-- `share_upper`; NULL where the cell says nothing.
WITH numbered AS (
  SELECT rowid AS cell, * FROM decided WHERE state = 'estimated'
),
stepped AS (
  SELECT
    numbered.*,
    value_step.per_unit AS value_per_unit,
    coalesce(reason.coded, FALSE) AS coded,
    numbered.reason IS NOT NULL AND coalesce(reason.protected, TRUE) AS protected
  FROM numbered
  ASOF LEFT JOIN value_step
    ON numbered.unit = value_step.unit AND numbered.tier = value_step.tier AND numbered.n >= value_step.from_n
  LEFT JOIN reason ON numbered.reason = reason.code
),
limited AS (  -- who reads the code knows that fewer than so many answered so, none heavier than the heaviest
  SELECT
    *,
    round(estimate * factor * value_per_unit) AS steps,
    CASE WHEN coded THEN least(1, greatest(
      (minimum_events - 1) * greatest(coalesce(largest_weight_share, 1), 1 / nullif(n, 0)),
      least(estimate, 1 - estimate)
    )) END AS coded_limit
  FROM stepped
)
SELECT
  cell, submission_id, indicator, tier, unit, disaggregation, ${dimensions},
  statistic, n, events, weight, weight / nullif(1 - nonresponse, 0) AS eligible_weight, estimate AS share,
  reason, coded, protected, coded_limit,
  CASE
    WHEN reason IS NULL THEN greatest((steps - 0.5) / value_per_unit / factor, 0)
    WHEN coded THEN CASE WHEN events <= n - events THEN 0 ELSE 1 - coded_limit END
  END AS share_lower,
  CASE
    WHEN reason IS NULL THEN least((steps + 0.5) / value_per_unit / factor, 1)
    WHEN coded THEN CASE WHEN events <= n - events THEN coded_limit ELSE 1 END
  END AS share_upper,
  minimum_n, minimum_events,
  coalesce(n >= low_reliability_n AND reliability IN (SELECT code FROM reliable), FALSE) AS reliable
FROM limited
ORDER BY submission_id, indicator, disaggregation, ${dimensions}
