-- National values of consecutive rounds of a survey side by side.
SELECT ref_area, survey, indicator, time_period_from, time_period_to, value_from, value_to, change, ci_lower, ci_upper, p,
  samples, comparability, comparability_reasons, reason
FROM change
WHERE standardised = 'N' AND ${total}
ORDER BY ref_area, survey, time_period_to DESC, time_period_from DESC, indicator, source_to, source_from
