-- Who may do what to an object: the object as far as the caller may see it, the one who
-- is asked about, who holds the permission there; and, when it is an approval request,
-- what its vote is counted from, as for CastVote.

-- name: can_i_object
-- class: point
-- params: $org $actor object_id permission
SELECT n.kind, n.id, n.ref, n.scope_id, n.owner_id,
       may_somewhere($1, $2, 'user.read') AS may_see_names,
       may_somewhere($1, $2, 'user.read') AND may_somewhere($1, $2, 'role.read')
	AS may_ask_for_others,
       EXISTS (SELECT 1 FROM role r WHERE $4::text = ANY (r.permissions)
                                       OR $4::text || '.own' = ANY (r.permissions)) AS known
FROM ({object_seen}) n;

-- name: can_i_user
-- class: point
-- params: $org $actor object_id user_id
SELECT u.id AS user_id, u.person_id, u.display_name, u.kind, u.state, a.permissions,
       a.max_accept_level, a.role_codes
FROM ({object_seen}) n
JOIN app_user u ON u.org_id = $1 AND u.id = coalesce($4::uuid, $2)
CROSS JOIN LATERAL access_at($1, u.id, n.scope_id) a;

-- name: can_i_holders
-- class: point
-- params: $org $actor object_id permission
SELECT u.id AS user_id, u.person_id, u.display_name, u.kind, u.state, a.permissions,
       a.max_accept_level, a.role_codes
FROM ({object_seen}) n
JOIN app_user u ON u.org_id = $1 AND u.state = 'ACTIVE'
     AND u.id IN (SELECT b.user_id FROM access b WHERE b.org_id = $1 AND b.scope_id = n.scope_id
                  AND ($4::text = ANY (b.permissions)
                       OR (b.user_id = n.owner_id AND $4::text || '.own' = ANY (b.permissions))))
CROSS JOIN LATERAL access_at($1, u.id, n.scope_id) a
ORDER BY u.display_name, u.id
LIMIT 51;

-- Who may come into question for a vote: those who are asked, those who would be by an
-- escalation, and those who may vote for them.
-- name: can_i_people
-- class: point
-- params: $org object_id
WITH s AS (
	SELECT s.user_id FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = $2
	UNION
	({escalation_of_request}))
SELECT u.id AS user_id, u.person_id, u.display_name, u.kind, u.state, a.permissions,
       a.max_accept_level, a.role_codes
FROM approval_request q
JOIN app_user u ON u.org_id = $1 AND u.state = 'ACTIVE'
     AND (u.id IN (SELECT s.user_id FROM s)
          OR u.id IN (SELECT d.to_user_id FROM delegation d WHERE d.org_id = $1
                      AND d.from_user_id IN (SELECT s.user_id FROM s)
                      AND d.revoked_at IS NULL AND d.ends_at > now()))
CROSS JOIN LATERAL access_at($1, u.id, q.scope_id) a
WHERE q.org_id = $1 AND q.id = $2
ORDER BY u.display_name, u.id
LIMIT 200;

-- name: can_i_request
-- class: point
-- kind: approval_request
-- params: $org object_id
SELECT {columns_of_request}
FROM approval_request q
WHERE q.org_id = $1 AND q.id = $2;

-- name: can_i_assignees
-- class: point
-- params: $org object_id
SELECT {columns_of_assignee}
FROM approval_assignee t
WHERE t.org_id = $1 AND t.request_id = $2
ORDER BY t.step_no, t.user_id;

-- name: can_i_voters
-- class: point
-- kind: app_user
-- params: $org object_id
SELECT u.id, u.version, u.state
FROM app_user u
WHERE u.org_id = $1
  AND u.id IN (SELECT n.id FROM approval_vote v
               CROSS JOIN LATERAL (VALUES (v.voter_id), (v.on_behalf_of)) AS n (id)
               WHERE v.org_id = $1 AND v.request_id = $2);

-- name: can_i_votes
-- class: point
-- params: $org object_id
SELECT {columns_of_vote}
FROM approval_vote v
WHERE v.org_id = $1 AND v.request_id = $2
ORDER BY v.id;

-- name: can_i_grants
-- class: point
-- params: $org object_id $actor user_id
WITH w AS (
	SELECT n.user_id, bool_and(n.late) AS late
	FROM (SELECT s.user_id, false AS late
	      FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = $2
	      UNION ALL SELECT coalesce($4::uuid, $3), false
	      UNION ALL SELECT e.user_id, true FROM ({escalation_of_request}) e) n
	GROUP BY n.user_id)
SELECT {columns_of_candidate}, {columns_of_ownership}, w.late
{grants_of_request};

-- Those by which votes were cast, and those of people who are asked.
-- name: can_i_delegations
-- class: point
-- kind: delegation
-- params: $org object_id
SELECT {columns_of_held_delegation}
FROM approval_request q
JOIN delegation d ON d.org_id = $1
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
WHERE q.org_id = $1 AND q.id = $2
  AND (d.id IN (SELECT v.delegation_id FROM approval_vote v
                WHERE v.org_id = $1 AND v.request_id = $2 AND v.delegation_id IS NOT NULL)
       OR d.id IN (SELECT m.id FROM delegation m
                   WHERE m.org_id = $1 AND m.revoked_at IS NULL AND m.ends_at > now()
                     AND m.from_user_id IN (SELECT s.user_id FROM approval_assignee s
                                            WHERE s.org_id = $1 AND s.request_id = $2)
                   ORDER BY m.id DESC LIMIT 256));

-- name: can_i_pace
-- class: point
-- params: $org $actor user_id $decisions
WITH c AS (SELECT $4::bigint AS most)
SELECT {pace_of_person}
WHERE u.org_id = $1 AND u.id = coalesce($3::uuid, $2);
