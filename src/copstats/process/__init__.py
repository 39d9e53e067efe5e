"""Edit rules, findings, the acceptance gate and pseudonymisation (restricted zone).

The rules are compiled from the framework (`rules`). DuckDB finds every record that breaks one (`check`), a
Great Expectations suite made from the same rules decides on acceptance (`gate`), `report` tells people, and
`pseudonymise` is the door through which only columns of the framework leave this zone.
"""
