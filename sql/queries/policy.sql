-- Approval policies: drafts, what they replace, and who decides on them.

-- name: approval_policy_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('POL', nextval('approval_policy_ref')) AS ref;

-- name: access_policy_scope
-- class: point
-- params: $org $actor scope_id
SELECT s.id AS scope_id, NULL::uuid AS owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s CROSS JOIN LATERAL access_at($1, $2, s.id) a
WHERE s.org_id = $1 AND s.id = $3;

-- name: access_policy
-- class: point
-- params: $org $actor id
SELECT y.scope_id, NULL::uuid AS owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM approval_policy y CROSS JOIN LATERAL access_at($1, $2, y.scope_id) a
WHERE y.org_id = $1 AND y.id = $3;

-- name: approval_policy_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_policy}
FROM approval_policy y
WHERE y.org_id = $1 AND y.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = y.scope_id AND $3 = ANY (a.permissions));

-- name: approval_policy_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit state subject_kind
SELECT {columns_of_policy}
FROM approval_policy y
WHERE y.org_id = $1
  AND (y.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND y.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(y.state = $6, $6::text IS NULL)
  AND coalesce(y.subject_kind = $7, $7::text IS NULL)
ORDER BY y.id DESC
LIMIT $5;

-- name: policy_for_write
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM approval_policy y
WHERE y.org_id = $1 AND y.id = $2;

-- The policy that the policy $2 replaces.
-- name: policy_replaced
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM approval_policy d
JOIN approval_policy y ON y.org_id = d.org_id AND y.id = d.replaces_id
WHERE d.org_id = $1 AND d.id = $2;

-- name: policy_to_replace
-- class: point
-- kind: approval_policy
-- params: $org replaces_id
SELECT {columns_of_policy}
FROM approval_policy y
WHERE y.org_id = $1 AND y.id = $2;

-- Codes of the roles that decide.
-- name: policy_roles
-- class: point
-- tenantless: roles are the same for all organisations
-- params:
SELECT r.code AS id FROM role r WHERE 'decision.cast' = ANY (r.permissions) ORDER BY r.code;

-- name: policy_root
-- class: point
-- params: $org
SELECT s.id FROM scope s WHERE s.org_id = $1 AND s.parent_id IS NULL;

-- The open request on a policy.
-- name: policy_request
-- class: point
-- kind: approval_request
-- params: $org id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.subject_kind = 'POLICY_CHANGE' AND q.subject_id = $2
  AND q.state = 'PENDING';

-- The policy that a request is about, and the one that it replaces.
-- name: vote_policies
-- class: point
-- kind: approval_policy
-- params: $org request_id
SELECT {columns_of_policy}
FROM approval_request q
JOIN approval_policy d ON d.org_id = q.org_id AND d.id = q.changed_policy_id
JOIN approval_policy y ON y.org_id = d.org_id AND y.id IN (d.id, d.replaces_id)
WHERE q.org_id = $1 AND q.id = $2;

-- The same for the clock.
-- name: advance_policies
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM approval_request q
JOIN approval_policy d ON d.org_id = q.org_id AND d.id = q.changed_policy_id
JOIN approval_policy y ON y.org_id = d.org_id AND y.id IN (d.id, d.replaces_id)
WHERE q.org_id = $1 AND q.id = $2;

-- The policy by which a change of policies is decided has no levels to fit.
-- name: policy_for_policy
-- class: point
-- kind: approval_policy
-- params: $org id
SELECT {columns_of_policy}
FROM approval_policy d
JOIN scope_closure k ON k.org_id = d.org_id AND k.descendant_id = d.scope_id
JOIN approval_policy y ON y.org_id = k.org_id AND y.scope_id = k.ancestor_id
WHERE d.org_id = $1 AND d.id = $2
  AND y.subject_kind = 'POLICY_CHANGE' AND y.state = 'ACTIVE'
ORDER BY k.depth, y.priority DESC, y.no DESC, y.id
LIMIT 1;

-- Everybody who may decide in the policy's scope, a row for each grant in force there.
-- name: candidates_for_policy
-- class: point
-- params: $org id
WITH d AS (
	SELECT y.scope_id, NULL::uuid AS risk_id
	FROM approval_policy y WHERE y.org_id = $1 AND y.id = $2)
SELECT {columns_of_candidate}, {columns_of_ownership}
{candidates_in_scope};

-- Persons who wrote the policy; a service account counts as its owners.
-- name: contributors_of_policy
-- class: point
-- params: $org id
SELECT DISTINCT n.id
FROM approval_policy y
JOIN app_user u ON u.org_id = y.org_id AND u.id = ANY (y.contributor_ids || y.author_id)
CROSS JOIN LATERAL unnest(CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id]
                          ELSE u.owner_person_ids END) AS n (id)
WHERE y.org_id = $1 AND y.id = $2
ORDER BY n.id
LIMIT 1000;

-- name: approval_policy_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by subject_kind
-- params: scope_id min_level max_level priority no steps title state author_id
-- params: contributor_ids replaces_id repeals
INSERT INTO approval_policy
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, subject_kind,
        scope_id, min_level, max_level, priority, no, steps, title, state, author_id,
        contributor_ids, replaces_id, repeals)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        coalesce($15::bytea, ''::bytea), $16, $17, $18, coalesce($19::uuid[], '{}'), $20, $21);

-- name: approval_policy_update
-- class: commit
-- params: $org id version updated_at updated_by min_level max_level priority steps title
-- params: state contributor_ids approval_request_id replaces_version
UPDATE approval_policy
SET     version = $3::bigint, updated_at = $4, updated_by = $5, min_level = $6, max_level = $7,
        priority = $8, steps = coalesce($9::bytea, ''::bytea), title = $10, state = $11,
        contributor_ids = coalesce($12::uuid[], '{}'), approval_request_id = $13,
        replaces_version = $14
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
