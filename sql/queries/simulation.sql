-- Trying out a policy: the one that $policy_id names, or the text of the request.

-- name: access_simulation
-- class: point
-- params: $org $actor policy_id scope_id
SELECT s.id AS scope_id, NULL::uuid AS owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s CROSS JOIN LATERAL access_at($1, $2, s.id) a
WHERE s.org_id = $1
  AND s.id = CASE WHEN $3::uuid IS NULL THEN $4::uuid
             ELSE (SELECT y.scope_id FROM approval_policy y WHERE y.org_id = $1 AND y.id = $3) END;

-- name: simulated_policy
-- class: point
-- kind: approval_policy
-- params: $org policy_id
SELECT {columns_of_policy}
FROM approval_policy y
WHERE y.org_id = $1 AND y.id = $2;

-- The oldest open requests with the policy that would be used for each if it were
-- submitted now: without what is tried out, and with it. The order of policies is that
-- of the statements policy_for_….
-- name: simulation_requests
-- class: list
-- params: $org $actor policy_id scope_id subject_kind replaces_id repeals min_level max_level
-- params: priority
WITH d AS (
	SELECT y.id, y.scope_id, y.subject_kind, y.min_level, y.max_level, y.priority, y.no,
	       y.replaces_id, y.repeals
	FROM approval_policy y WHERE y.org_id = $1 AND y.id = $3
	UNION ALL
	SELECT NULL, $4::uuid, $5::text, coalesce(nullif($8::smallint, 0::smallint), o.min_level, 1),
	       coalesce(nullif($9::smallint, 0::smallint), o.max_level, 4), coalesce($10::integer, 0),
	       coalesce(o.no, 0) + 1, $6::uuid, $7::boolean
	FROM (VALUES (1)) AS one (row)
	LEFT JOIN approval_policy o ON o.org_id = $1 AND o.id = $6
	WHERE $3::uuid IS NULL),
q AS (
	SELECT q.*
	FROM d
	JOIN scope_closure k ON k.org_id = $1 AND k.ancestor_id = d.scope_id
	JOIN approval_request q ON q.org_id = $1 AND q.scope_id = k.descendant_id
	                       AND q.state = 'PENDING' AND q.subject_kind = d.subject_kind
	WHERE q.org_id = $1
	ORDER BY q.id LIMIT 201)
SELECT q.id, q.ref, q.scope_id, q.subject_ref, q.level, q.requested_by_person,
       q.contributor_persons, q.steps, r.owner_id,
       coalesce((SELECT array_agg(DISTINCT x.owner_id)
                 FROM risk_asset l JOIN asset x ON x.org_id = $1 AND x.id = l.asset_id
                 WHERE l.org_id = $1 AND l.risk_id = q.risk_id AND x.owner_id IS NOT NULL),
                '{}') AS asset_owner_ids, n.id AS policy_now, t.id AS policy_then,
       t.steps AS steps_then, coalesce(t.by_draft, false) AS by_draft,
       EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
               AND a.scope_id = q.scope_id AND 'approval.read' = ANY (a.permissions)) AS readable
FROM d
CROSS JOIN q
LEFT JOIN risk r ON r.org_id = $1 AND r.id = q.risk_id
LEFT JOIN LATERAL (
	SELECT y.id
	FROM scope_closure k
	JOIN approval_policy y ON y.org_id = $1 AND y.scope_id = k.ancestor_id
	WHERE k.org_id = $1 AND k.descendant_id = q.scope_id
	  AND y.subject_kind = q.subject_kind AND y.state = 'ACTIVE'
	  AND (q.level = 0 OR q.level BETWEEN y.min_level AND y.max_level)
	ORDER BY k.depth, y.priority DESC, y.no DESC, y.id LIMIT 1) n ON true
LEFT JOIN LATERAL (
	SELECT c.id, c.steps, c.by_draft
	FROM (SELECT y.id, y.steps, false AS by_draft, k.depth, y.priority, y.no
	      FROM scope_closure k
	      JOIN approval_policy y ON y.org_id = $1 AND y.scope_id = k.ancestor_id
	      WHERE k.org_id = $1 AND k.descendant_id = q.scope_id
	        AND y.subject_kind = q.subject_kind AND y.state = 'ACTIVE'
	        AND (q.level = 0 OR q.level BETWEEN y.min_level AND y.max_level)
	        AND y.id IS DISTINCT FROM d.replaces_id
	      UNION ALL
	      SELECT d.id, NULL, true, k.depth, d.priority, d.no
	      FROM scope_closure k
	      WHERE k.org_id = $1 AND k.ancestor_id = d.scope_id AND k.descendant_id = q.scope_id
	        AND NOT d.repeals
	        AND (q.level = 0 OR q.level BETWEEN d.min_level AND d.max_level)) c
	ORDER BY c.depth, c.priority DESC, c.no DESC, c.id LIMIT 1) t ON true
ORDER BY q.id;

-- Who is asked on them.
-- name: simulation_seats
-- class: list
-- params: $org policy_id scope_id subject_kind
WITH d AS (
	SELECT y.scope_id, y.subject_kind
	FROM approval_policy y WHERE y.org_id = $1 AND y.id = $2
	UNION ALL
	SELECT $3::uuid, $4::text WHERE $2::uuid IS NULL),
q AS (
	SELECT q.id
	FROM d
	JOIN scope_closure k ON k.org_id = $1 AND k.ancestor_id = d.scope_id
	JOIN approval_request q ON q.org_id = $1 AND q.scope_id = k.descendant_id
	                       AND q.state = 'PENDING' AND q.subject_kind = d.subject_kind
	WHERE q.org_id = $1
	ORDER BY q.id LIMIT 201)
SELECT s.request_id, s.user_id, min(s.display_name) AS display_name
FROM q JOIN approval_assignee s ON s.org_id = $1 AND s.request_id = q.id
WHERE s.org_id = $1 AND NOT s.escalated
GROUP BY s.request_id, s.user_id
ORDER BY s.request_id, s.user_id
LIMIT 4001;

-- Who may decide where they are, and where the policy is.
-- name: simulation_grants
-- class: list
-- params: $org policy_id scope_id subject_kind
WITH d AS (
	SELECT y.scope_id, y.subject_kind
	FROM approval_policy y WHERE y.org_id = $1 AND y.id = $2
	UNION ALL
	SELECT $3::uuid, $4::text WHERE $2::uuid IS NULL),
q AS (
	SELECT q.scope_id
	FROM d
	JOIN scope_closure k ON k.org_id = $1 AND k.ancestor_id = d.scope_id
	JOIN approval_request q ON q.org_id = $1 AND q.scope_id = k.descendant_id
	                       AND q.state = 'PENDING' AND q.subject_kind = d.subject_kind
	WHERE q.org_id = $1
	ORDER BY q.id LIMIT 201),
place AS (SELECT q.scope_id FROM q UNION SELECT d.scope_id FROM d)
SELECT p.scope_id, {columns_of_candidate}, (s.owner_id = u.id) IS TRUE AS scope_owner
FROM place p
JOIN scope s ON s.org_id = $1 AND s.id = p.scope_id
JOIN access a ON a.org_id = $1 AND a.scope_id = p.scope_id
JOIN app_user u ON u.org_id = $1 AND u.id = a.user_id AND u.state = 'ACTIVE'
LEFT JOIN app_user g ON g.org_id = $1 AND g.id = a.granted_by
WHERE a.org_id = $1
  AND EXISTS (SELECT 1 FROM access b WHERE b.org_id = $1 AND b.scope_id = p.scope_id
              AND b.user_id = a.user_id AND 'decision.cast' = ANY (b.permissions))
ORDER BY p.scope_id, u.id, a.role_code, a.grant_id
LIMIT 4001;
