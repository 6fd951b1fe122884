-- Answers for people: what changed since they decided, what proves a decision.

-- What the request froze.
-- name: changes_asked
-- class: point
-- params: $org $actor request_id
SELECT q.id AS request_id, t.snapshot
FROM approval_request q
JOIN approval_snapshot t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $3 AND {may_read_request};

-- The last vote of the caller's person on the subject, on what it renews or replaces, and
-- so on back, or on an earlier plan of the same option for the risk.
-- name: changes_earlier
-- class: point
-- params: $org $actor request_id
WITH RECURSIVE d AS (
	SELECT q.id, q.created_at, q.subject_kind, q.subject_id
	FROM approval_request q WHERE q.org_id = $1 AND q.id = $3),
subject AS (
	SELECT d.subject_id AS id FROM d
	UNION
	SELECT n.id FROM subject s CROSS JOIN LATERAL (
		SELECT c.previous_id AS id FROM risk_acceptance c WHERE c.org_id = $1 AND c.id = s.id
		UNION ALL
		SELECT y.replaces_id FROM approval_policy y WHERE y.org_id = $1 AND y.id = s.id
		UNION ALL
		SELECT e.id FROM treatment_plan p
		JOIN treatment_plan e ON e.org_id = $1 AND e.risk_id = p.risk_id AND e.option = p.option
		                     AND e.created_at < p.created_at
		WHERE p.org_id = $1 AND p.id = s.id) n
	WHERE n.id IS NOT NULL)
SELECT q.id AS request_id, q.ref AS request_ref, v.decision, v.at, t.snapshot
FROM d
JOIN approval_request q ON q.org_id = $1 AND q.subject_id IN (SELECT n.id FROM subject n)
                       AND q.subject_kind = d.subject_kind AND q.id <> d.id
                       AND q.created_at < d.created_at
JOIN app_user u ON u.org_id = $1 AND u.id = $2
JOIN approval_vote v ON v.org_id = $1 AND v.request_id = q.id AND v.voter_person = u.person_id
                    AND v.decision <> 'RECUSE'
JOIN approval_snapshot t ON t.org_id = $1 AND t.request_id = q.id
WHERE q.org_id = $1
ORDER BY v.id DESC
LIMIT 1;

-- name: bundle_request
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle};

-- name: bundle_snapshot
-- class: point
-- params: $org $actor $permission id
SELECT t.snapshot
FROM approval_request q
JOIN approval_snapshot t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle};

-- The version that was frozen: what became of the policy since is another story.
-- name: bundle_policy
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_policy}
FROM approval_request q
CROSS JOIN LATERAL row_at(q.org_id, 'approval_policy', q.policy_id, q.created_at) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_policy, h.row_json) y
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle};

-- name: bundle_assignees
-- class: point
-- params: $org $actor $permission id
SELECT t.step_no, t.user_id, t.display_name, t.via, t.escalated,
       CASE WHEN t.state = 'PENDING' AND q.state <> 'PENDING' THEN 'VOID' ELSE t.state END AS state
FROM approval_request q
JOIN approval_assignee t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle}
ORDER BY t.step_no, t.display_name, t.user_id;

-- name: bundle_votes
-- class: point
-- params: $org $actor $permission id
SELECT t.id, t.step_no, t.voter_id, t.voter_person, t.voter_name, t.decision, t.comment,
       t.snapshot_sha256, t.at, t.on_behalf_of, t.on_behalf_of_name, t.delegation_id,
       (s.state = 'VOID') AS void, t.auth_method, t.credential_fp, t.ip
FROM approval_request q
JOIN approval_vote t ON t.org_id = q.org_id AND t.request_id = q.id
JOIN approval_assignee s ON s.org_id = t.org_id AND s.request_id = t.request_id
                        AND s.step_no = t.step_no AND s.user_id = t.assignee_id
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle}
ORDER BY t.id;

-- As they were when they were used, with the names of then.
-- name: bundle_delegations
-- class: point
-- params: $org $actor $permission id
SELECT DISTINCT ON (d.id)
       d.id, d.ref, d.version, d.created_at, d.created_by, d.updated_at, d.updated_by,
       d.archived_at, d.from_user_id, v.on_behalf_of_name AS from_name, d.to_user_id,
       v.voter_name AS to_name, d.scope_id, d.subject_kinds, d.max_level, d.starts_at, d.ends_at,
       d.reason, d.revoked_at, d.revoke_reason, 'ACTIVE' AS state
FROM approval_request q
JOIN approval_vote v ON v.org_id = q.org_id AND v.request_id = q.id
CROSS JOIN LATERAL row_at(v.org_id, 'delegation', v.delegation_id, v.at) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::delegation, h.row_json) d
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle}
ORDER BY d.id, v.id;

-- Of each transaction that wrote a version of the request.
-- name: bundle_events
-- class: point
-- params: $org $actor $permission id
SELECT e.id, e.event
FROM approval_request q
JOIN row_history h ON h.org_id = q.org_id AND h.entity_kind = 'approval_request'
                  AND h.entity_id = q.id
JOIN audit_event e ON e.org_id = h.org_id AND e.tx = h.tx
WHERE q.org_id = $1 AND q.id = $4 AND {may_bundle}
ORDER BY h.version, e.seq;
