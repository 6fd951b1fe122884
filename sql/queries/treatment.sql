-- Treatment plans.

-- name: treatment_plan_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('TRP', nextval('treatment_plan_ref')) AS ref;

-- The owner of a plan is the owner of its risk.
-- name: access_plan
-- class: point
-- params: $org $actor id
SELECT p.scope_id, r.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM treatment_plan p
JOIN risk r ON r.org_id = p.org_id AND r.id = p.risk_id
CROSS JOIN LATERAL access_at($1, $2, p.scope_id) a
WHERE p.org_id = $1 AND p.id = $3;

-- name: treatment_plan_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_plan}
FROM treatment_plan p
WHERE p.org_id = $1 AND p.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = p.scope_id AND $3 = ANY (a.permissions));

-- name: treatment_plan_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit risk_id state
SELECT {columns_of_plan}
FROM treatment_plan p
WHERE p.org_id = $1
  AND (p.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND p.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(p.risk_id = $6, $6::uuid IS NULL)
  AND coalesce(p.state = $7, $7::text IS NULL)
ORDER BY p.id DESC
LIMIT $5;

-- name: treatment_plan_for_write
-- class: point
-- kind: treatment_plan
-- params: $org id
SELECT {columns_of_plan}
FROM treatment_plan p
WHERE p.org_id = $1 AND p.id = $2;

-- name: treatment_plan_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by scope_id risk_id
-- params: option state author_id content approval_request_id contributor_ids ai_system_id
-- params: lapses_at control_ids assignee_ids avoid_action counts_from due_at
INSERT INTO treatment_plan
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, scope_id,
        risk_id, option, state, author_id, content, approval_request_id, contributor_ids,
        ai_system_id, lapses_at, control_ids, assignee_ids, avoid_action,
        counts_from, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        coalesce($16::uuid[], '{}'), $17, $18, coalesce($19::uuid[], '{}'),
        coalesce($20::uuid[], '{}'), $21, $22, $23);

-- name: treatment_plan_update
-- class: commit
-- params: $org id version updated_at updated_by state content approval_request_id
-- params: contributor_ids ai_system_id lapses_at control_ids assignee_ids progress
-- params: verification end_reason avoid_action lowered counts_from supersedes_id due_at
UPDATE treatment_plan
SET     version = $3::bigint, updated_at = $4, updated_by = $5, state = $6, content = $7,
        approval_request_id = $8, contributor_ids = coalesce($9::uuid[], '{}'),
        ai_system_id = $10, lapses_at = $11, control_ids = coalesce($12::uuid[], '{}'),
        assignee_ids = coalesce($13::uuid[], '{}'), progress = $14, verification = $15,
        end_reason = $16, avoid_action = $17, lowered = $18, counts_from = $19,
        supersedes_id = $20, due_at = $21
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- The system that an AVOID plan is about, if the caller may see it.
-- name: plan_system
-- class: point
-- params: $org $actor id
SELECT s.id
FROM treatment_plan p
JOIN ai_system s ON s.org_id = p.org_id AND s.id = p.ai_system_id
WHERE p.org_id = $1 AND p.id = $3
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = s.scope_id AND 'system.read' = ANY (a.permissions));

-- The same system, if it is in the scope of the plan's risk or below.
-- name: plan_system_below
-- class: point
-- params: $org id
SELECT s.id
FROM treatment_plan p
JOIN ai_system s ON s.org_id = p.org_id AND s.id = p.ai_system_id
JOIN scope_closure k ON k.org_id = p.org_id AND k.ancestor_id = p.scope_id
     AND k.descendant_id = s.scope_id
WHERE p.org_id = $1 AND p.id = $2;

-- Those who are to carry out the plan, as far as they can be asked to.
-- name: plan_assignees
-- class: point
-- params: $org id
SELECT u.id
FROM treatment_plan p
JOIN app_user u ON u.org_id = p.org_id AND u.id = ANY (p.assignee_ids)
WHERE p.org_id = $1 AND p.id = $2 AND u.kind = 'HUMAN' AND u.state = 'ACTIVE'
LIMIT 50;

-- The system that an AVOID plan is about, whoever asks.
-- name: plan_system_for_write
-- class: point
-- kind: ai_system
-- params: $org id
SELECT {columns_of_system}
FROM treatment_plan p
JOIN ai_system s ON s.org_id = p.org_id AND s.id = p.ai_system_id
WHERE p.org_id = $1 AND p.id = $2;

-- Persons who wrote the plan; a service account counts as its owners.
-- name: plan_writers
-- class: point
-- params: $org id
SELECT DISTINCT n.id
FROM treatment_plan p
JOIN app_user u ON u.org_id = p.org_id AND u.id = ANY (p.contributor_ids || p.author_id)
CROSS JOIN LATERAL
	unnest(CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id] ELSE u.owner_person_ids END) n (id)
WHERE p.org_id = $1 AND p.id = $2
ORDER BY n.id
LIMIT 1000;

-- Those, and the persons who are to carry it out.
-- name: plan_people
-- class: point
-- params: $org id
SELECT DISTINCT n.id
FROM treatment_plan p
JOIN app_user u ON u.org_id = p.org_id
     AND u.id = ANY (p.contributor_ids || p.assignee_ids || p.author_id)
CROSS JOIN LATERAL
	unnest(CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id] ELSE u.owner_person_ids END) n (id)
WHERE p.org_id = $1 AND p.id = $2
ORDER BY n.id
LIMIT 1000;

-- How the risk of the plan was last scored as it is today, and by whom.
-- name: plan_current_score
-- class: point
-- params: $org id
SELECT s.id, s.risk_id, s.kind, s.likelihood AS score_likelihood, s.impact AS score_impact,
       s.level AS score_level, s.method_id, s.rationale, s.scored_by, s.scored_by_persons, s.at
FROM treatment_plan p
JOIN risk_score s ON s.org_id = p.org_id AND s.risk_id = p.risk_id AND s.kind = 2
WHERE p.org_id = $1 AND p.id = $2
ORDER BY s.seq DESC
LIMIT 1;
