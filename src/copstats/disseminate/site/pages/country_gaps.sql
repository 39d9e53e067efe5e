-- Differences between groups in the newest survey of a country that shows one; else in the newest that has both groups.
SELECT ref_area, indicator, dimension, time_period, group_a, group_b, value_a, value_b, difference, ci_lower, ci_upper,
  comparability, reason
FROM group_difference
WHERE (dimension, group_a, group_b) IN (('sex', 'F', 'M'), ('residence', 'R', 'U'), ('wealth_quintile', 'Q1', 'Q5'))
QUALIFY row_number() OVER (
  PARTITION BY ref_area, indicator, dimension
  ORDER BY difference IS NULL, time_period DESC, comparability, survey, source
) = 1
ORDER BY ref_area, dimension, indicator
