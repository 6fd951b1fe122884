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
 LIMIT 64);

-- name: clock_purge
-- class: commit
-- tenantless: the clock ticks for every organisation
-- params:
SELECT purge_idempotency() AS purged;
