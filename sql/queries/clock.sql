-- What is due, for the server's own calls of isms.store.v1.ClockService. A branch a
-- method; each at most 64 rows, the longest overdue first. What could not be done is left
-- out by its id, so that it does not stand before the rest.

-- Who is asked, or has voted, by seat t of request q, and holds no more what that takes
-- (another owner of the risk is another version of it). Whether rights were lost is
-- asked only where some may have been; what the decision finds beyond this, the next vote
-- finds too. What was given since the request was submitted does not count for it.
-- fragment: lost_seat
SELECT FROM app_user u
WHERE u.org_id = t.org_id AND u.id = t.user_id
  AND (u.updated_at > q.created_at OR t.via IN ('SCOPE_OWNER', 'ASSET_OWNER')
       OR EXISTS (SELECT FROM role_grant g WHERE g.org_id = u.org_id AND g.user_id = u.id
                  AND g.revoked_at IS NULL AND g.valid_until <= now()))
  AND (u.state <> 'ACTIVE'
       OR NOT EXISTS (SELECT FROM access a WHERE a.org_id = u.org_id AND a.user_id = u.id
                      AND a.scope_id = q.scope_id AND 'decision.cast' = ANY (a.permissions)
                      AND a.max_accept_level >= q.level AND a.granted_at <= q.created_at
                      AND (a.role_code = t.via OR t.via IN ('SCOPE_OWNER', 'ASSET_OWNER', 'USERS')))
       OR (t.via = 'SCOPE_OWNER'
           AND NOT EXISTS (SELECT FROM scope s WHERE s.org_id = u.org_id AND s.id = q.scope_id
                           AND s.owner_id = u.id))
       OR (t.via = 'ASSET_OWNER'
           AND NOT EXISTS (SELECT FROM risk_asset l JOIN asset x ON x.org_id = l.org_id
                           AND x.id = l.asset_id WHERE l.org_id = u.org_id
                           AND l.risk_id = q.risk_id AND x.owner_id = u.id)));

-- A vote v that was cast by seat t, for somebody who has gone, or by a delegation that
-- was taken back.
-- fragment: lost_vote
SELECT FROM approval_vote v
JOIN app_user w ON w.org_id = v.org_id AND w.id = v.voter_id
LEFT JOIN delegation d ON d.org_id = v.org_id AND d.id = v.delegation_id
WHERE v.org_id = t.org_id AND v.request_id = t.request_id AND v.step_no = t.step_no
  AND v.assignee_id = t.user_id AND (w.state <> 'ACTIVE' OR d.revoked_at IS NOT NULL);

-- name: clock_due
-- class: list
-- tenantless: the clock ticks for every organisation
-- params: skip_ids
(SELECT q.org_id, 'AdvanceRequest' AS work, q.id
 FROM approval_request q
 LEFT JOIN risk r ON r.org_id = q.org_id AND r.id = q.risk_id
 LEFT JOIN risk_acceptance c ON q.subject_kind = 'ACCEPTANCE'
      AND c.org_id = q.org_id AND c.id = q.subject_id
 LEFT JOIN treatment_plan p ON q.subject_kind = 'TREATMENT_PLAN'
      AND p.org_id = q.org_id AND p.id = q.subject_id AND p.option = 'TRANSFER'
 LEFT JOIN approval_policy y ON y.org_id = q.org_id AND y.id = q.changed_policy_id
 LEFT JOIN approval_policy z ON z.org_id = y.org_id AND z.id = y.replaces_id
 WHERE q.state = 'PENDING' AND q.id <> ALL ($1::uuid[])
   AND (q.step_due_at <= now() OR (q.escalates_at <= now() AND NOT q.escalated)
        OR c.valid_until <= now() OR p.lapses_at <= now() OR r.version <> q.risk_version
        OR z.state <> 'ACTIVE' OR z.version <> y.replaces_version
        OR EXISTS (SELECT FROM approval_assignee t
                   WHERE t.org_id = q.org_id AND t.request_id = q.id
                     AND ((t.state IN ('PENDING', 'VOTED') AND EXISTS ({lost_seat}))
                          OR (t.state = 'VOTED' AND EXISTS ({lost_vote})))))
 ORDER BY least(q.step_due_at, q.escalates_at, c.valid_until, p.lapses_at), q.id
 LIMIT 64)
UNION ALL
(SELECT c.org_id, 'ExpireAcceptance' AS work, c.id
 FROM risk_acceptance c
 WHERE c.state = 'ACTIVE' AND least(c.valid_until, c.review_due_at) <= now()
   AND c.id <> ALL ($1::uuid[])
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
   AND c.id <> ALL ($1::uuid[])
 ORDER BY c.valid_until
 LIMIT 64)
UNION ALL
(SELECT c.org_id, 'WarnReview', c.id
 FROM risk_acceptance c
 WHERE c.state = 'ACTIVE' AND NOT c.review_warned AND c.valid_until > now()
   AND c.review_due_at > now() AND c.review_due_at <= now() + interval '3 days'
   AND c.id <> ALL ($1::uuid[])
 ORDER BY c.review_due_at
 LIMIT 64)
UNION ALL
(SELECT p.org_id, 'LapseTransfer', p.id
 FROM treatment_plan p
 WHERE p.option = 'TRANSFER' AND p.state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')
   AND p.lapses_at <= now() AND p.id <> ALL ($1::uuid[])
 ORDER BY p.lapses_at
 LIMIT 64);

-- name: clock_purge
-- class: commit
-- tenantless: the clock ticks for every organisation
-- params:
SELECT purge_idempotency() AS purged;
