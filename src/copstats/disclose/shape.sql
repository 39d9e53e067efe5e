-- What no published table may hold; each check counts the cells that break it.
SELECT unnest([
  {'check': 'a withheld cell has a figure', 'cells': count_if(
    obs_status NOT IN ('A', 'U')
    AND (value IS NOT NULL OR se IS NOT NULL OR ci_lower IS NOT NULL OR ci_upper IS NOT NULL)
  )},
  {'check': 'a withheld cell has a reliability flag', 'cells': count_if(
    obs_status NOT IN ('A', 'U') AND reliability IS NOT NULL
  )},
  {'check': 'a withheld cell has no reason', 'cells': count_if(
    obs_status NOT IN ('A', 'U') AND reason IS NULL
  )},
  {'check': 'bands without a figure', 'cells': count_if(
    obs_status NOT IN ('A', 'U') AND coalesce(reason NOT IN (${coded}), TRUE)
    AND (n_band IS NOT NULL OR nonresponse_band IS NOT NULL)
  )},
  {'check': 'a suppressed cell is free', 'cells': count_if(obs_status = 'Q' AND obs_conf = 'F')},
  {'check': 'a shown cell is incomplete', 'cells': count_if(
    obs_status IN ('A', 'U')
    AND (value IS NULL OR se IS NULL OR ci_lower IS NULL OR ci_upper IS NULL OR n_band IS NULL)
  )},
  {'check': 'a shown cell has a reason against it', 'cells': count_if(
    obs_status IN ('A', 'U') AND (reason IS NOT NULL OR obs_conf <> 'F')
  )},
  {'check': 'a value outside its interval', 'cells': count_if(NOT (value BETWEEN ci_lower AND ci_upper))},
  {'check': 'a per cent outside 0 to 100', 'cells': count_if(
    unit_measure = 'PCNT' AND NOT (ci_lower >= 0 AND ci_upper <= 100)
  )},
  {'check': 'an unknown status', 'cells': count_if(coalesce(obs_status NOT IN ('A', 'U', 'Q', 'L', 'M'), TRUE))},
  {'check': 'more digits than published', 'cells': count_if(
    abs(value * 10 - round(value * 10)) > 1e-6 OR abs(se * 10 - round(se * 10)) > 1e-6
    OR abs(ci_lower * 10 - round(ci_lower * 10)) > 1e-6 OR abs(ci_upper * 10 - round(ci_upper * 10)) > 1e-6
  )},
  {'check': 'a key that is not unique', 'cells': count(*) - count(DISTINCT (${key}))}
], recursive := TRUE)
FROM indicator_value
