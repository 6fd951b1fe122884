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

-- Everybody who may decide in the risk's scope, a row for each grant in force there.
-- name: candidates_for_plan
-- class: point
-- params: $org id
WITH d AS (
	SELECT r.scope_id, r.id AS risk_id
	FROM treatment_plan t
	JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
	WHERE t.org_id = $1 AND t.id = $2)
SELECT {columns_of_candidate}, {columns_of_ownership}
{candidates_in_scope};

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
	      ORDER BY x.kind, x.seq DESC) s) n
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
	SELECT r.scope_id, r.id AS risk_id
	FROM risk_acceptance t
	JOIN risk r ON r.org_id = t.org_id AND r.id = t.risk_id
	WHERE t.org_id = $1 AND t.id = $2)
SELECT {columns_of_candidate}, {columns_of_ownership}
{candidates_in_scope};

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
	      ORDER BY x.kind, x.seq DESC) s) n
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

-- name: approval_request_get
-- class: point
-- params: $org $actor id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $3 AND {may_read_request};

-- name: approval_request_list
-- class: list
-- params: $org $actor $page_after $page_limit state subject_kind scope_id risk_id
-- params: requested_by
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND {may_read_request}
  AND q.id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(q.state = $5, $5::text IS NULL)
  AND coalesce(q.subject_kind = $6, $6::text IS NULL)
  AND coalesce(q.scope_id = $7, $7::uuid IS NULL)
  AND coalesce(q.risk_id = $8, $8::uuid IS NULL)
  AND coalesce(q.requested_by = $9, $9::uuid IS NULL)
ORDER BY q.id DESC
LIMIT $4;

-- name: approval_snapshot_get
-- class: point
-- params: $org $actor id
SELECT t.snapshot
FROM approval_request q
JOIN approval_snapshot t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $3 AND {may_read_request};

-- Nobody is asked any more once the request is closed, or the account deactivated.
-- name: approval_assignees_get
-- class: point
-- params: $org $actor id
SELECT t.step_no, t.user_id, t.display_name, t.via,
       CASE WHEN t.state = 'PENDING' AND (q.state <> 'PENDING' OR u.state = 'DEACTIVATED')
            THEN 'VOID' ELSE t.state END AS state, t.escalated
FROM approval_request q
JOIN approval_assignee t ON t.org_id = q.org_id AND t.request_id = q.id
JOIN app_user u ON u.org_id = t.org_id AND u.id = t.user_id
WHERE q.org_id = $1 AND q.id = $3 AND {may_read_request}
ORDER BY t.step_no, t.display_name, t.user_id;

-- name: approval_votes_get
-- class: point
-- params: $org $actor id
SELECT t.id, t.step_no, t.voter_id, t.voter_person, t.voter_name, t.decision, t.comment,
       t.snapshot_sha256, t.at, t.on_behalf_of, t.on_behalf_of_name, t.delegation_id,
       e.state = 'VOID' AS void
FROM approval_request q
JOIN approval_vote t ON t.org_id = q.org_id AND t.request_id = q.id
JOIN approval_assignee e ON e.org_id = t.org_id AND e.request_id = t.request_id
                        AND e.step_no = t.step_no AND e.user_id = t.assignee_id
WHERE q.org_id = $1 AND q.id = $3 AND {may_read_request}
ORDER BY t.id;

-- What the caller is asked, or may vote on for somebody who is, once each: in the own
-- right when there is one. Nothing waits for somebody whose person has taken part in the
-- step, or, where it wants other people (S5), in one before.
-- Reviews wait for the owner of the risk, and for the roles that were asked to approve.
-- name: approval_inbox
-- class: list
-- params: $org $actor $page_after $page_limit subject_kinds due_before
WITH me AS (SELECT m.id, m.person_id, m.kind FROM app_user m WHERE m.org_id = $1 AND m.id = $2),
waiting AS (
	SELECT t.request_id, t.step_no, t.via, t.escalated, t.person_id, NULL::uuid AS on_behalf_of
	FROM approval_assignee t
	WHERE t.org_id = $1 AND t.user_id = $2 AND t.state = 'PENDING'
	UNION ALL
	SELECT t.request_id, t.step_no, t.via, t.escalated, t.person_id, t.user_id
	FROM delegation d
	CROSS JOIN me
	JOIN approval_assignee t ON t.org_id = $1 AND t.user_id = d.from_user_id
	                        AND t.state = 'PENDING' AND t.person_id <> me.person_id
	JOIN approval_request x ON x.org_id = $1 AND x.id = t.request_id
	                       AND x.state = 'PENDING' AND x.allows_delegate
	                       AND x.current_step = t.step_no
	JOIN scope_closure k ON k.org_id = $1 AND k.ancestor_id = d.scope_id
	                    AND k.descendant_id = x.scope_id
	WHERE d.org_id = $1 AND d.to_user_id = $2 AND d.revoked_at IS NULL
	  AND d.starts_at <= now() AND d.ends_at > now() AND d.created_at < x.created_at
	  AND d.max_level >= x.level AND x.subject_kind = ANY (d.subject_kinds)
	  AND me.kind = 'HUMAN' AND me.person_id <> x.requested_by_person
	  AND NOT me.person_id = ANY (x.contributor_persons)),
mine AS (
	SELECT DISTINCT ON (w.request_id) w.*
	FROM waiting w
	JOIN approval_request x ON x.org_id = $1 AND x.id = w.request_id
	                       AND x.state = 'PENDING' AND x.current_step = w.step_no
	CROSS JOIN me
	WHERE NOT EXISTS (SELECT 1 FROM approval_vote v
	                  WHERE v.org_id = $1 AND v.request_id = w.request_id
	                    AND (v.step_no = w.step_no
	                         OR (x.distinct_from_prior AND v.step_no < w.step_no))
	                    AND (v.voter_person IN (w.person_id, me.person_id)
	                         OR v.on_behalf_person IN (w.person_id, me.person_id)))
	ORDER BY w.request_id, w.on_behalf_of NULLS FIRST),
reviews AS (
	SELECT c.*, r.title, r.current_level,
	       CASE WHEN r.owner_id = $2 THEN 'RISK_OWNER' ELSE min(s.via) END AS via
	FROM risk_acceptance c
	CROSS JOIN me
	JOIN risk r ON r.org_id = $1 AND r.id = c.risk_id
	JOIN access a ON a.org_id = $1 AND a.user_id = $2 AND a.scope_id = c.scope_id
	LEFT JOIN approval_assignee s ON s.org_id = $1 AND s.request_id = c.approval_request_id
	                             AND s.via <> 'RISK_OWNER'
	                             AND (s.via = a.role_code
	                                  OR (s.user_id = $2
	                                      AND s.via IN ('SCOPE_OWNER', 'ASSET_OWNER', 'USERS')))
	WHERE c.org_id = $1 AND c.state = 'ACTIVE' AND c.valid_until > now()
	  AND c.review_due_at > now() AND me.kind = 'HUMAN'
	GROUP BY c.org_id, c.id, r.org_id, r.id
	HAVING bool_or('decision.cast' = ANY (a.permissions))
	   AND (r.owner_id = $2 OR count(s.via) > 0)),
items AS (
	SELECT q.id AS page_key, 'VOTE' AS kind, q.id AS request_id, q.ref AS request_ref,
	       q.subject_kind, q.subject_id, q.subject_ref, 0::bigint AS subject_version, q.risk_id,
	       coalesce(r.title, y.title, '') AS title, q.level, t.step_no, t.via,
	       u.display_name AS requested_by_name, q.created_at AS requested_at, q.snapshot_sha256,
	       t.on_behalf_of, coalesce(f.display_name, '') AS on_behalf_of_name,
	       q.step_due_at AS due_at, t.escalated, '' AS review_reason
	FROM mine t
	JOIN approval_request q ON q.org_id = $1 AND q.id = t.request_id
	LEFT JOIN risk r ON r.org_id = $1 AND r.id = q.risk_id
	LEFT JOIN approval_policy y ON y.org_id = $1 AND y.id = q.changed_policy_id
	JOIN app_user u ON u.org_id = $1 AND u.id = q.requested_by
	LEFT JOIN app_user f ON f.org_id = $1 AND f.id = t.on_behalf_of
	UNION ALL
	SELECT c.id, 'REVIEW', q.id, q.ref, q.subject_kind, c.id, c.ref, c.version, c.risk_id,
	       c.title, c.current_level, 0, c.via, u.display_name, q.created_at, ''::bytea, NULL,
	       '', c.review_due_at, false, c.review_reason
	FROM reviews c
	JOIN approval_request q ON q.org_id = $1 AND q.id = c.approval_request_id
	JOIN app_user u ON u.org_id = $1 AND u.id = q.requested_by)
SELECT i.*
FROM items i
WHERE i.page_key < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND (i.subject_kind = ANY ($5::text[]) OR coalesce(cardinality($5::text[]), 0) = 0)
  AND (i.due_at < $6 OR $6::timestamptz IS NULL)
ORDER BY i.page_key DESC
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
SELECT {columns_of_assignee}
FROM approval_assignee t
WHERE t.org_id = $1 AND t.request_id = $2
ORDER BY t.step_no, t.user_id;

-- The accounts that have voted, or are voted for: whoever takes a right from one changes
-- its version. Loaded before the votes and the grants, which say what is held.
-- name: vote_voters
-- class: point
-- kind: app_user
-- params: $org request_id on_behalf_of
SELECT u.id, u.version, u.state
FROM app_user u
WHERE u.org_id = $1
  AND u.id IN (SELECT n.id FROM approval_vote v
               CROSS JOIN LATERAL (VALUES (v.voter_id), (v.on_behalf_of)) AS n (id)
               WHERE v.org_id = $1 AND v.request_id = $2
               UNION ALL SELECT $3);

-- The caller and everybody who has voted or is voted for: they may not become one person
-- meanwhile.
-- name: vote_persons
-- class: point
-- kind: person
-- params: $org request_id $actor on_behalf_of
SELECT n.id, n.version, n.created_at, n.created_by, n.updated_at, n.updated_by, n.archived_at
FROM person n
WHERE n.org_id = $1
  AND n.id IN (SELECT u.person_id FROM app_user u WHERE u.org_id = $1 AND u.id IN ($3, $4)
               UNION
               SELECT p.id FROM approval_vote v
               CROSS JOIN LATERAL (VALUES (v.voter_person), (v.on_behalf_person)) AS p (id)
               WHERE v.org_id = $1 AND v.request_id = $2);

-- name: vote_votes
-- class: point
-- params: $org request_id
SELECT {columns_of_vote}
FROM approval_vote v
WHERE v.org_id = $1 AND v.request_id = $2
ORDER BY v.id;

-- What makes people those who are asked must hold at each vote, and until the end.
-- name: vote_grants
-- class: point
-- params: $org request_id $actor
WITH w AS (
	SELECT n.user_id, bool_and(n.late) AS late
	FROM (SELECT s.user_id, false AS late
	      FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = $2
	      UNION ALL SELECT $3, false
	      UNION ALL SELECT e.user_id, true FROM ({escalation_of_request}) e) n
	GROUP BY n.user_id)
SELECT {columns_of_candidate}, {columns_of_ownership}, w.late
{grants_of_request};

-- What people were asked as owners of: it may not get another owner meanwhile.
-- name: vote_scope
-- class: point
-- kind: scope
-- params: $org request_id
SELECT s.id, s.version
FROM approval_request q JOIN scope s ON s.org_id = $1 AND s.id = q.scope_id
WHERE q.org_id = $1 AND q.id = $2
  AND EXISTS (SELECT 1 FROM approval_assignee t WHERE t.org_id = $1 AND t.request_id = q.id
              AND t.via = 'SCOPE_OWNER');

-- name: vote_assets
-- class: point
-- kind: asset
-- params: $org request_id
SELECT x.id, x.version
FROM approval_request q
JOIN risk_asset l ON l.org_id = $1 AND l.risk_id = q.risk_id
JOIN asset x ON x.org_id = $1 AND x.id = l.asset_id
WHERE q.org_id = $1 AND q.id = $2
  AND x.owner_id IN (SELECT t.user_id FROM approval_assignee t
                     WHERE t.org_id = $1 AND t.request_id = q.id AND t.via = 'ASSET_OWNER');

-- By which votes were cast, and by which the caller might vote.
-- name: vote_delegations
-- class: point
-- kind: delegation
-- params: $org request_id $actor on_behalf_of
SELECT {columns_of_held_delegation}
FROM approval_request q
JOIN delegation d ON d.org_id = $1
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
WHERE q.org_id = $1 AND q.id = $2
  AND (d.id IN (SELECT v.delegation_id FROM approval_vote v
                WHERE v.org_id = $1 AND v.request_id = $2 AND v.delegation_id IS NOT NULL)
       OR d.id IN (SELECT m.id FROM delegation m
                   WHERE m.org_id = $1 AND m.to_user_id = $3
                     AND m.ends_at > now() - interval '30 days'
                     AND m.from_user_id IN (SELECT s.user_id FROM approval_assignee s
                                            WHERE s.org_id = $1 AND s.request_id = $2)
                   ORDER BY (m.from_user_id = $4) IS NOT TRUE, m.revoked_at IS NOT NULL,
                            m.id DESC LIMIT 32));

-- How fast the caller's person decides.
-- name: vote_pace
-- class: point
-- params: $org $actor $decisions
WITH c AS (SELECT $3::bigint AS most)
SELECT {pace_of_person}
WHERE u.org_id = $1 AND u.id = $2;

-- --- the same for the clock

-- name: advance_request
-- class: point
-- kind: approval_request
-- params: $org id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $2;

-- name: advance_assignees
-- class: point
-- params: $org id
SELECT {columns_of_assignee}
FROM approval_assignee t
WHERE t.org_id = $1 AND t.request_id = $2
ORDER BY t.step_no, t.user_id;

-- name: advance_voters
-- class: point
-- kind: app_user
-- params: $org id
SELECT u.id, u.version, u.state
FROM app_user u
WHERE u.org_id = $1
  AND u.id IN (SELECT n.id FROM approval_vote v
               CROSS JOIN LATERAL (VALUES (v.voter_id), (v.on_behalf_of)) AS n (id)
               WHERE v.org_id = $1 AND v.request_id = $2);

-- name: advance_votes
-- class: point
-- params: $org id
SELECT {columns_of_vote}
FROM approval_vote v
WHERE v.org_id = $1 AND v.request_id = $2
ORDER BY v.id;

-- What makes people those who are asked must hold at each vote, and until the end.
-- name: advance_grants
-- class: point
-- params: $org id
WITH w AS (
	SELECT n.user_id, bool_and(n.late) AS late
	FROM (SELECT s.user_id, false AS late
	      FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = $2
	      UNION ALL SELECT e.user_id, true FROM ({escalation_of_request}) e) n
	GROUP BY n.user_id)
SELECT {columns_of_candidate}, {columns_of_ownership}, w.late
{grants_of_request};

-- name: advance_delegations
-- class: point
-- kind: delegation
-- params: $org id
SELECT {columns_of_held_delegation}
FROM approval_request q
JOIN approval_vote v ON v.org_id = $1 AND v.request_id = q.id
JOIN delegation d ON d.org_id = $1 AND d.id = v.delegation_id
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
WHERE q.org_id = $1 AND q.id = $2;

-- name: dossier_risk_of_open
-- class: point
-- kind: risk
-- params: $org id
WITH d AS ({named_request})
SELECT {columns_of_risk}
FROM d JOIN risk_now r ON r.org_id = $1 AND r.id = d.risk_id
WHERE r.org_id = $1;

-- name: dossier_plans_of_open
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS ({named_request})
SELECT {columns_of_plan}
FROM d JOIN treatment_plan p ON p.org_id = $1 AND p.risk_id = d.risk_id
WHERE p.org_id = $1
  AND (p.state IN ({open_plan_states}))
ORDER BY p.id
LIMIT 33;

-- name: dossier_acceptances_of_open
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS ({named_request})
SELECT {columns_of_acceptance}
FROM d JOIN risk_acceptance_now c ON c.org_id = $1 AND c.risk_id = d.risk_id
WHERE c.org_id = $1
  AND (c.state IN ('SUBMITTED', 'CHANGES_REQUESTED', 'ACTIVE'))
ORDER BY c.id
LIMIT 9;

-- name: dossier_requests_of_open
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS ({named_request})
SELECT {columns_of_request}
FROM d JOIN approval_request q ON q.org_id = $1 AND q.risk_id = d.risk_id
WHERE q.org_id = $1
  AND q.state = 'PENDING'
ORDER BY q.id
LIMIT 9;

-- name: approval_request_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by scope_id
-- params: subject_kind subject_id subject_ref subject_version risk_id risk_version level
-- params: state current_step requested_by requested_by_person contributor_persons
-- params: snapshot_sha256 policy_id policy_no steps closed_at close_reason
-- params: step_opened_at step_due_at escalates_at escalated escalates_to allows_delegate
-- params: distinct_from_prior
INSERT INTO approval_request
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, scope_id,
        subject_kind, subject_id, subject_ref, subject_version, risk_id, risk_version, level,
        state, current_step, requested_by, requested_by_person, contributor_persons,
        snapshot_sha256, policy_id, policy_no, steps, closed_at, close_reason,
        step_opened_at, step_due_at, escalates_at, escalated, escalates_to,
        allows_delegate, distinct_from_prior)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        coalesce($16::smallint, 0::smallint), $17, $18, $19, $20,
        coalesce($21::uuid[], '{}'), $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32,
        $33, $34);

-- What was frozen stays.
-- name: approval_request_update
-- class: commit
-- params: $org id version updated_at updated_by risk_version state current_step closed_at
-- params: close_reason step_opened_at step_due_at escalates_at escalated escalates_to
-- params: allows_delegate distinct_from_prior
UPDATE approval_request
SET     version = $3::bigint, updated_at = $4, updated_by = $5, risk_version = $6,
        state = $7, current_step = $8, closed_at = $9, close_reason = $10,
        step_opened_at = $11, step_due_at = $12, escalates_at = $13, escalated = $14,
        escalates_to = $15, allows_delegate = $16, distinct_from_prior = $17
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: approval_assignee_put
-- class: commit
-- params: $org request_id step_no user_id person_id display_name via state escalated
INSERT INTO approval_assignee (org_id, request_id, step_no, user_id, person_id, display_name, via,
                               state, escalated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (org_id, request_id, step_no, user_id) DO UPDATE SET state = excluded.state;

-- name: approval_snapshot_put
-- class: commit
-- params: $org request_id snapshot
INSERT INTO approval_snapshot (org_id, request_id, snapshot) VALUES ($1, $2, $3);

-- name: approval_vote_put
-- class: commit
-- params: $org id request_id step_no voter_id voter_person voter_name decision comment
-- params: snapshot_sha256 session_id at on_behalf_of on_behalf_person on_behalf_of_name
-- params: delegation_id ordinal auth_method credential_fp ip
INSERT INTO approval_vote (org_id, id, request_id, step_no, voter_id, voter_person, voter_name,
                           decision, comment, snapshot_sha256, session_id, at, on_behalf_of,
                           on_behalf_person, on_behalf_of_name, delegation_id, ordinal,
                           auth_method, credential_fp, ip)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20);
