-- The approval engine: policies, candidates, requests, assignees, votes.

-- name: approval_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('APR', nextval('approval_request_ref')) AS ref;

-- The policy of the nearest scope, then of the highest priority.
-- name: policy_for_plan
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM treatment_plan t
JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
JOIN scope_closure k ON k.org_id = r.org_id AND k.descendant_id = r.scope_id
JOIN approval_policy y ON y.org_id = k.org_id AND y.scope_id = k.ancestor_id
WHERE t.org_id = $1 AND t.id = $2
  AND y.subject_kind = 'TREATMENT_PLAN' AND y.state = 'ACTIVE'
  AND r.current_level BETWEEN y.min_level AND y.max_level
ORDER BY k.depth, y.priority DESC, y.no DESC, y.id
LIMIT 1;

-- Everybody who may decide in the risk's scope, a row for each role held there, and one
-- without a role for the owner of the risk.
-- name: candidates_for_plan
-- class: point
-- params: $org id
WITH d AS (
	SELECT r.scope_id, r.owner_id
	FROM treatment_plan t
	JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
	WHERE t.org_id = $1 AND t.id = $2),
power AS (
	SELECT a.user_id,
	       max(a.max_accept_level) FILTER (WHERE 'decision.cast' = ANY (a.permissions))
		AS max_accept_level,
	       array_agg(DISTINCT a.role_code) AS role_codes
	FROM d JOIN access a ON a.org_id = $1 AND a.scope_id = d.scope_id
	WHERE a.org_id = $1
	GROUP BY a.user_id
	HAVING bool_or('decision.cast' = ANY (a.permissions)))
SELECT u.id AS user_id, u.person_id, u.display_name, n.role_code, u.kind, w.max_accept_level
FROM power w
JOIN app_user u ON u.org_id = $1 AND u.id = w.user_id AND u.state = 'ACTIVE'
CROSS JOIN LATERAL (
	SELECT '' AS role_code FROM d WHERE d.owner_id = u.id
	UNION ALL
	SELECT unnest(w.role_codes)) n
WHERE u.org_id = $1
ORDER BY u.id, n.role_code
LIMIT 2000;

-- Persons who wrote the content, and the last who scored the risk; a service account
-- counts as its owners.
-- name: contributors_of_plan
-- class: point
-- params: $org id
WITH d AS (
	SELECT t.risk_id, t.contributor_ids || t.author_id AS user_ids
	FROM treatment_plan t
	WHERE t.org_id = $1 AND t.id = $2)
SELECT DISTINCT n.id
FROM d CROSS JOIN LATERAL (
	SELECT unnest(CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id] ELSE u.owner_person_ids END) AS id
	FROM app_user u
	WHERE u.org_id = $1 AND u.id = ANY (d.user_ids)
	UNION ALL
	SELECT unnest(s.scored_by_persons)
	FROM (SELECT DISTINCT ON (x.kind) x.scored_by_persons
	      FROM risk_score x
	      WHERE x.org_id = $1 AND x.risk_id = d.risk_id AND x.kind IN (1, 2)
	      ORDER BY x.kind, x.id DESC) s) n
ORDER BY n.id
LIMIT 1000;

-- name: policy_for_acceptance
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM risk_acceptance t
JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
JOIN scope_closure k ON k.org_id = r.org_id AND k.descendant_id = r.scope_id
JOIN approval_policy y ON y.org_id = k.org_id AND y.scope_id = k.ancestor_id
WHERE t.org_id = $1 AND t.id = $2
  AND y.subject_kind = 'ACCEPTANCE' AND y.state = 'ACTIVE'
  AND r.current_level BETWEEN y.min_level AND y.max_level
ORDER BY k.depth, y.priority DESC, y.no DESC, y.id
LIMIT 1;

-- name: candidates_for_acceptance
-- class: point
-- params: $org id
WITH d AS (
	SELECT r.scope_id, r.owner_id
	FROM risk_acceptance t
	JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
	WHERE t.org_id = $1 AND t.id = $2),
power AS (
	SELECT a.user_id,
	       max(a.max_accept_level) FILTER (WHERE 'decision.cast' = ANY (a.permissions))
		AS max_accept_level,
	       array_agg(DISTINCT a.role_code) AS role_codes
	FROM d JOIN access a ON a.org_id = $1 AND a.scope_id = d.scope_id
	WHERE a.org_id = $1
	GROUP BY a.user_id
	HAVING bool_or('decision.cast' = ANY (a.permissions)))
SELECT u.id AS user_id, u.person_id, u.display_name, n.role_code, u.kind, w.max_accept_level
FROM power w
JOIN app_user u ON u.org_id = $1 AND u.id = w.user_id AND u.state = 'ACTIVE'
CROSS JOIN LATERAL (
	SELECT '' AS role_code FROM d WHERE d.owner_id = u.id
	UNION ALL
	SELECT unnest(w.role_codes)) n
WHERE u.org_id = $1
ORDER BY u.id, n.role_code
LIMIT 2000;

-- name: contributors_of_acceptance
-- class: point
-- params: $org id
WITH d AS (
	SELECT t.risk_id, t.contributor_ids || t.author_id AS user_ids
	FROM risk_acceptance t
	WHERE t.org_id = $1 AND t.id = $2)
SELECT DISTINCT n.id
FROM d CROSS JOIN LATERAL (
	SELECT unnest(CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id] ELSE u.owner_person_ids END) AS id
	FROM app_user u
	WHERE u.org_id = $1 AND u.id = ANY (d.user_ids)
	UNION ALL
	SELECT unnest(s.scored_by_persons)
	FROM (SELECT DISTINCT ON (x.kind) x.scored_by_persons
	      FROM risk_score x
	      WHERE x.org_id = $1 AND x.risk_id = d.risk_id AND x.kind IN (1, 2)
	      ORDER BY x.kind, x.id DESC) s) n
ORDER BY n.id
LIMIT 1000;

-- name: access_approval_request
-- class: point
-- params: $org $actor request_id
SELECT q.scope_id, r.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM approval_request q
LEFT JOIN risk r ON r.org_id = q.org_id AND r.id = q.risk_id
CROSS JOIN LATERAL access_at($1, $2, q.scope_id) a
WHERE q.org_id = $1 AND q.id = $3;

-- For its requester, its assignees and those who may read it.
-- name: approval_request_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $4
  AND (q.requested_by = $2
       OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = q.id
                  AND s.user_id = $2)
       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
                  AND a.scope_id = q.scope_id AND $3 = ANY (a.permissions)));

-- name: approval_snapshot_get
-- class: point
-- params: $org $actor $permission id
SELECT t.snapshot
FROM approval_request q
JOIN approval_snapshot t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $4
  AND (q.requested_by = $2
       OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = q.id
                  AND s.user_id = $2)
       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
                  AND a.scope_id = q.scope_id AND $3 = ANY (a.permissions)));

-- Nobody is asked any more once the request is closed, or the account deactivated.
-- name: approval_assignees_get
-- class: point
-- params: $org $actor $permission id
SELECT t.step_no, t.user_id, t.display_name, t.via,
       CASE WHEN t.state = 'PENDING' AND (q.state <> 'PENDING' OR u.state = 'DEACTIVATED')
            THEN 'VOID' ELSE t.state END AS state
FROM approval_request q
JOIN approval_assignee t ON t.org_id = q.org_id AND t.request_id = q.id
JOIN app_user u ON u.org_id = t.org_id AND u.id = t.user_id
WHERE q.org_id = $1 AND q.id = $4
  AND (q.requested_by = $2
       OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = q.id
                  AND s.user_id = $2)
       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
                  AND a.scope_id = q.scope_id AND $3 = ANY (a.permissions)))
ORDER BY t.step_no, t.display_name, t.user_id;

-- name: approval_votes_get
-- class: point
-- params: $org $actor $permission id
SELECT t.id, t.step_no, t.voter_id, t.voter_person, t.voter_name, t.decision, t.comment,
       t.snapshot_sha256, t.at
FROM approval_request q
JOIN approval_vote t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $4
  AND (q.requested_by = $2
       OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = q.id
                  AND s.user_id = $2)
       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
                  AND a.scope_id = q.scope_id AND $3 = ANY (a.permissions)))
ORDER BY t.id;

-- Waits for nobody whose person has voted on the step by another account.
-- name: approval_inbox
-- class: list
-- params: $org $actor $page_after $page_limit
SELECT q.id AS page_key, q.id AS request_id, q.ref AS request_ref, q.subject_kind, q.subject_id,
       q.subject_ref, q.risk_id, r.title, q.level, t.step_no, t.via,
       u.display_name AS requested_by_name, q.created_at AS requested_at, q.snapshot_sha256
FROM approval_assignee t
JOIN approval_request q ON q.org_id = t.org_id AND q.id = t.request_id
JOIN risk r ON r.org_id = q.org_id AND r.id = q.risk_id
JOIN app_user u ON u.org_id = q.org_id AND u.id = q.requested_by
WHERE t.org_id = $1 AND t.user_id = $2
  AND t.state = 'PENDING' AND q.state = 'PENDING' AND q.current_step = t.step_no
  AND NOT EXISTS (SELECT 1 FROM approval_vote v WHERE v.org_id = $1 AND v.request_id = q.id
                  AND v.step_no = t.step_no AND v.voter_person = t.person_id)
  AND q.id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY q.id DESC
LIMIT $4;

-- name: vote_request
-- class: point
-- kind: approval_request
-- params: $org request_id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $2;

-- name: vote_assignees
-- class: point
-- params: $org request_id
SELECT t.request_id, t.step_no, t.user_id, t.person_id, t.display_name, t.via,
       CASE WHEN t.state = 'PENDING' AND u.state = 'DEACTIVATED' THEN 'VOID' ELSE t.state END AS state
FROM approval_assignee t
JOIN app_user u ON u.org_id = t.org_id AND u.id = t.user_id
WHERE t.org_id = $1 AND t.request_id = $2
ORDER BY t.step_no, t.user_id;

-- The accounts that have voted: whoever takes a right from one changes its version.
-- Loaded before the votes, which say whether those rights still hold.
-- name: vote_voters
-- class: point
-- kind: app_user
-- params: $org request_id
SELECT u.id, u.version
FROM app_user u
WHERE u.org_id = $1
  AND u.id IN (SELECT v.voter_id FROM approval_vote v
               WHERE v.org_id = $1 AND v.request_id = $2);

-- What made the voter an assignee must hold until the request is finished.
-- name: vote_votes
-- class: point
-- params: $org request_id
SELECT v.id, v.request_id, v.step_no, v.voter_id, v.voter_person, v.voter_name, v.decision,
       v.comment, v.snapshot_sha256, v.session_id, v.at,
       (u.state <> 'ACTIVE' OR a.max_accept_level < q.level
        OR NOT 'decision.cast' = ANY (a.permissions)
        OR NOT (t.via = 'RISK_OWNER' OR t.via = ANY (a.role_codes))) AS lapsed
FROM approval_vote v
JOIN approval_request q ON q.org_id = v.org_id AND q.id = v.request_id
JOIN approval_assignee t ON t.org_id = v.org_id AND t.request_id = v.request_id
                        AND t.step_no = v.step_no AND t.user_id = v.voter_id
JOIN app_user u ON u.org_id = v.org_id AND u.id = v.voter_id
CROSS JOIN LATERAL access_at($1, v.voter_id, q.scope_id) a
WHERE v.org_id = $1 AND v.request_id = $2
ORDER BY v.id;

-- The caller and everybody who has voted: they may not become one person meanwhile.
-- name: vote_persons
-- class: point
-- kind: person
-- params: $org $actor request_id
SELECT n.id, n.version, n.created_at, n.created_by, n.updated_at, n.updated_by, n.archived_at
FROM person n
WHERE n.org_id = $1
  AND n.id IN (SELECT u.person_id FROM app_user u WHERE u.org_id = $1 AND u.id = $2
               UNION
               SELECT v.voter_person FROM approval_vote v
               WHERE v.org_id = $1 AND v.request_id = $3);

-- name: approval_request_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by scope_id
-- params: subject_kind subject_id subject_ref subject_version risk_id risk_version level
-- params: state current_step requested_by requested_by_person contributor_persons
-- params: snapshot_sha256 policy_id policy_no steps closed_at close_reason
-- params: step_opened_at step_due_at escalates_at escalated
INSERT INTO approval_request
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, scope_id,
        subject_kind, subject_id, subject_ref, subject_version, risk_id, risk_version, level,
        state, current_step, requested_by, requested_by_person, contributor_persons,
        snapshot_sha256, policy_id, policy_no, steps, closed_at, close_reason,
        step_opened_at, step_due_at, escalates_at, escalated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        coalesce($16::smallint, 0::smallint), $17, $18, $19, $20,
        coalesce($21::uuid[], '{}'), $22, $23, $24, $25, $26, $27, $28, $29, $30, $31);

-- What was frozen stays.
-- name: approval_request_update
-- class: commit
-- params: $org id version updated_at updated_by risk_version state current_step closed_at
-- params: close_reason step_opened_at step_due_at escalates_at escalated
UPDATE approval_request
SET     version = $3::bigint, updated_at = $4, updated_by = $5, risk_version = $6,
        state = $7, current_step = $8, closed_at = $9, close_reason = $10,
        step_opened_at = $11, step_due_at = $12, escalates_at = $13, escalated = $14
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: approval_assignee_put
-- class: commit
-- params: $org request_id step_no user_id person_id display_name via state
INSERT INTO approval_assignee (org_id, request_id, step_no, user_id, person_id, display_name, via,
                               state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (org_id, request_id, step_no, user_id) DO UPDATE SET state = excluded.state;

-- name: approval_snapshot_put
-- class: commit
-- params: $org request_id snapshot
INSERT INTO approval_snapshot (org_id, request_id, snapshot) VALUES ($1, $2, $3);

-- name: approval_vote_put
-- class: commit
-- params: $org id request_id step_no voter_id voter_person voter_name decision comment
-- params: snapshot_sha256 session_id at
INSERT INTO approval_vote (org_id, id, request_id, step_no, voter_id, voter_person, voter_name,
                           decision, comment, snapshot_sha256, session_id, at, ordinal)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce(max(v.ordinal), 0) + 1
FROM approval_vote v WHERE v.org_id = $1 AND v.voter_person = $6;
