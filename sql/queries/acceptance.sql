-- Risk acceptances, read through risk_acceptance_now, which tells whether one is
-- effective at this moment.

-- name: risk_acceptance_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('ACC', nextval('risk_acceptance_ref')) AS ref;

-- The owner of an acceptance is the owner of its risk.
-- name: access_acceptance
-- class: point
-- params: $org $actor id
SELECT c.scope_id, r.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM risk_acceptance c
JOIN risk r ON r.org_id = c.org_id AND r.id = c.risk_id
CROSS JOIN LATERAL access_at($1, $2, c.scope_id) a
WHERE c.org_id = $1 AND c.id = $3;

-- name: risk_acceptance_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_acceptance}
FROM risk_acceptance_now c
WHERE c.org_id = $1 AND c.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = c.scope_id AND $3 = ANY (a.permissions));

-- name: risk_acceptance_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit risk_id state effective_only
SELECT {columns_of_acceptance}
FROM risk_acceptance_now c
WHERE c.org_id = $1
  AND (c.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND c.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(c.risk_id = $6, $6::uuid IS NULL)
  AND coalesce(c.state = $7, $7::text IS NULL)
  AND (c.effective OR $8::boolean IS NOT TRUE)
ORDER BY c.id DESC
LIMIT $5;

-- name: acceptance_for_write
-- class: point
-- kind: risk_acceptance
-- params: $org id
SELECT {columns_of_acceptance}
FROM risk_acceptance_now c
WHERE c.org_id = $1 AND c.id = $2;

-- name: acceptance_plan_for_write
-- class: point
-- kind: treatment_plan
-- params: $org id
SELECT {columns_of_plan}
FROM risk_acceptance c
JOIN treatment_plan p ON p.org_id = c.org_id AND p.id = c.plan_id
WHERE c.org_id = $1 AND c.id = $2;

-- name: acceptance_controls
-- class: point
-- params: $org compensating_control_ids
SELECT c.id FROM control c WHERE c.org_id = $1 AND c.id = ANY ($2);

-- name: risk_acceptance_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by scope_id risk_id
-- params: plan_id state rationale business_reason conditions compensating_control_ids
-- params: author_id requested_by level valid_from valid_until approval_request_id ended_at
-- params: ended_by end_reason contributor_ids previous_id
INSERT INTO risk_acceptance
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, scope_id,
        risk_id, plan_id, state, rationale, business_reason, conditions,
        compensating_control_ids, author_id, requested_by, level, valid_from, valid_until,
        approval_request_id, ended_at, ended_by, end_reason, contributor_ids, previous_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        coalesce($16::uuid[], '{}'), $17, $18, coalesce($19::smallint, 0::smallint), $20,
        $21, $22, $23, $24, $25, coalesce($26::uuid[], '{}'), $27);

-- name: risk_acceptance_update
-- class: commit
-- params: $org id version updated_at updated_by state rationale business_reason conditions
-- params: compensating_control_ids requested_by level valid_from valid_until
-- params: approval_request_id ended_at ended_by end_reason contributor_ids warned_days
-- params: review_days review_due_at review_reason review_by_persons
-- params: review_warned
UPDATE risk_acceptance
SET     version = $3::bigint, updated_at = $4, updated_by = $5, state = $6, rationale = $7,
        business_reason = $8, conditions = $9,
        compensating_control_ids = coalesce($10::uuid[], '{}'), requested_by = $11,
        level = coalesce($12::smallint, 0::smallint), valid_from = $13, valid_until = $14,
        approval_request_id = $15, ended_at = $16, ended_by = $17, end_reason = $18,
        contributor_ids = coalesce($19::uuid[], '{}'),
        warned_days = coalesce($20::smallint, 0::smallint),
        review_days = coalesce($21::smallint, 0::smallint), review_due_at = $22,
        review_reason = $23, review_by_persons = coalesce($24::uuid[], '{}'),
        review_warned = $25
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- The request by which it was approved.
-- name: acceptance_approval
-- class: point
-- kind: approval_request
-- params: $org id
SELECT {columns_of_request}
FROM risk_acceptance c
JOIN approval_request q ON q.org_id = c.org_id AND q.id = c.approval_request_id
WHERE c.org_id = $1 AND c.id = $2;

-- The caller: two decisions of one person do not pass each other.
-- name: review_person
-- class: point
-- kind: person
-- params: $org $actor
SELECT n.id, n.version, n.created_at, n.created_by, n.updated_at, n.updated_by, n.archived_at
FROM app_user u
JOIN person n ON n.org_id = u.org_id AND n.id = u.person_id
WHERE u.org_id = $1 AND u.id = $2;

-- A vote of the person that was cast since the load has not seen this one, and is
-- counted here: the row of the person, which each vote holds, is written by now.
-- name: acceptance_review_put
-- class: commit
-- params: $org id acceptance_id reviewer_id reviewer_person reviewer_name reason comment at
-- params: $decisions
WITH c AS (SELECT $10::bigint AS most),
pace AS (SELECT {pace_of_person} WHERE u.org_id = $1 AND u.id = $4::uuid),
room AS (SELECT must_one(count(*)) AS one FROM pace p
         WHERE $10::bigint <= 0 OR p.window_began_at IS NULL
            OR p.window_began_at <= now() - interval '1 hour')
INSERT INTO acceptance_review (org_id, id, acceptance_id, reviewer_id, reviewer_person,
                               reviewer_name, reason, comment, at)
SELECT $1, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::text, $7::text, $8::text,
       $9::timestamptz
FROM room WHERE room.one = 1;

-- name: controls_of_acceptance
-- class: point
-- kind: control
-- params: $org id
SELECT {columns_of_control}
FROM risk_acceptance_control l
JOIN control t ON t.org_id = l.org_id AND t.id = l.control_id
WHERE l.org_id = $1 AND l.acceptance_id = $2
ORDER BY t.id
LIMIT 50;
