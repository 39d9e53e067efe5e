-- The medians, with the share at or below each and its variance. The limits of a median (Woodruff 1952) are the
-- smallest answers whose share in `cumulated` reaches at_or_below -+ t x sqrt(variance), with t of psus - strata degrees
-- of freedom; its standard error is their distance over 2 t.
WITH shares AS (
  ${shares}
)
SELECT n, psus, strata, median AS estimate, shares.estimate AS at_or_below, variance, domain
FROM shares JOIN medians USING (domain)
WHERE split_part(measure, '__', 2)::INTEGER = domain % 100
ORDER BY domain
