-- What is due, for the server's own calls of isms.store.v1.ClockService. A branch a
-- method; each at most 64 rows, the longest overdue first.

-- name: clock_due
-- class: list
-- tenantless: the clock ticks for every organisation
-- params:
(SELECT c.org_id, 'ExpireAcceptance' AS work, c.id
 FROM risk_acceptance c
 WHERE c.state = 'ACTIVE' AND least(c.valid_until, c.review_due_at) <= now()
 ORDER BY least(c.valid_until, c.review_due_at)
 LIMIT 64)
UNION ALL
(SELECT c.org_id, 'WarnAcceptance', c.id
 FROM risk_acceptance c
 WHERE c.state = 'ACTIVE' AND c.warned_days <> 1 AND c.valid_until > now()
   AND c.valid_until <= now() + interval '30 days'
   AND c.valid_until <= now() + CASE c.warned_days WHEN 0 THEN 30 WHEN 30 THEN 7 ELSE 1 END
                                * interval '1 day'
   AND (c.review_due_at IS NULL OR c.review_due_at > now())
 ORDER BY c.valid_until
 LIMIT 64)
UNION ALL
(SELECT p.org_id, 'LapseTransfer', p.id
 FROM treatment_plan p
 WHERE p.option = 'TRANSFER' AND p.state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')
   AND p.lapses_at <= now()
 ORDER BY p.lapses_at
 LIMIT 64);

-- name: clock_purge
-- class: commit
-- tenantless: the clock ticks for every organisation
-- params:
SELECT purge_idempotency() AS purged;
