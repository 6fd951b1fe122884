-- People, accounts, roles and grants. Accounts belong to no scope: they are
-- written with a permission at the root and read with one anywhere.

-- Every account sees the organisation itself.
-- name: organisation_access
-- class: point
-- params: $org $actor
SELECT r.id AS scope_id, NULL::uuid AS owner_id,
       array_append(a.permissions, 'organisation.see') AS permissions,
       a.max_accept_level, a.role_codes
FROM scope r
CROSS JOIN LATERAL access_at(r.org_id, $2, r.id) AS a
WHERE r.org_id = $1 AND r.parent_id IS NULL;

-- name: user_access
-- class: point
-- params: $org $actor id
SELECT r.id AS scope_id, NULL::uuid AS owner_id,
       CASE WHEN may_somewhere(u.org_id, $2, 'user.read')
            THEN array_append(a.permissions, 'user.read') ELSE a.permissions END AS permissions,
       a.max_accept_level, a.role_codes
FROM app_user u
JOIN scope r ON r.org_id = u.org_id AND r.parent_id IS NULL
CROSS JOIN LATERAL access_at(u.org_id, $2, r.id) AS a
WHERE u.org_id = $1 AND u.id = $3;

-- name: token_access
-- class: point
-- params: $org $actor user_id
SELECT r.id AS scope_id, NULL::uuid AS owner_id,
       CASE WHEN may_somewhere(u.org_id, $2, 'user.read')
            THEN array_append(a.permissions, 'user.read') ELSE a.permissions END AS permissions,
       a.max_accept_level, a.role_codes
FROM app_user u
JOIN scope r ON r.org_id = u.org_id AND r.parent_id IS NULL
CROSS JOIN LATERAL access_at(u.org_id, $2, r.id) AS a
WHERE u.org_id = $1 AND u.id = $3;

-- name: user_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_user}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $4 AND may_somewhere($1, $2, $3);

-- name: user_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit email
SELECT {columns_of_user}
FROM app_user u
WHERE u.org_id = $1 AND may_somewhere($1, $2, $3)
  AND u.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR u.email = lower(btrim($6)))
ORDER BY u.id DESC
LIMIT $5;

-- name: user_for_write
-- class: point
-- kind: app_user
-- params: $org id
SELECT {columns_of_account}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $2;

-- The account that a request gives a role or a token to.
-- name: user_named
-- class: point
-- kind: app_user
-- params: $org user_id
SELECT {columns_of_account}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $2;

-- The sessions that a deactivation ends by name; the account's state ends all.
-- name: user_sessions
-- class: point
-- kind: session
-- params: $org id
SELECT {columns_of_session}
FROM session s
WHERE s.org_id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
ORDER BY s.id DESC
LIMIT 100;

-- name: person_for_user
-- class: point
-- kind: person
-- params: $org person_id
SELECT p.id, p.version, p.created_at, p.created_by, p.updated_at, p.updated_by, p.archived_at
FROM person p
WHERE p.org_id = $1 AND p.id = $2;

-- name: persons_for_user
-- class: point
-- kind: person
-- params: $org owner_person_ids
SELECT p.id, p.version, p.created_at, p.created_by, p.updated_at, p.updated_by, p.archived_at
FROM person p
WHERE p.org_id = $1 AND p.id = ANY ($2);

-- name: role_list
-- class: point
-- params: $org $actor $permission
SELECT r.code, r.title, r.permissions
FROM role r
WHERE may_somewhere($1, $2, $3)
ORDER BY r.code;

-- name: role_by_code
-- class: point
-- tenantless: roles are built in, the same for all organisations
-- params: role_code
SELECT r.code, r.title, r.permissions
FROM role r
WHERE r.code = $1;

-- Its row is written with a grant that could not stand beside another of the person:
-- two such grants to accounts of one person never pass each other.
-- name: grant_person
-- class: point
-- kind: person
-- params: $org user_id
SELECT p.id, p.version, p.created_at, p.created_by, p.updated_at, p.updated_by, p.archived_at
FROM app_user u
JOIN person p ON p.org_id = $1 AND p.id = u.person_id
WHERE u.org_id = $1 AND u.id = $2;

-- Roles that the person of the account holds with any account.
-- name: grant_roles
-- class: point
-- params: $org user_id
{roles_of_person}
ORDER BY r.code;

-- Delegations to the person that are not over.
-- name: grant_delegations
-- class: point
-- params: $org user_id
SELECT d.id
FROM app_user n
JOIN app_user u ON u.org_id = $1 AND u.person_id = n.person_id
JOIN delegation d ON d.org_id = $1 AND d.to_user_id = u.id AND d.revoked_at IS NULL
     AND d.ends_at > now()
WHERE n.org_id = $1 AND n.id = $2
LIMIT 1;

-- name: grant_for_write
-- class: point
-- kind: role_grant
-- params: $org id
SELECT {columns_of_grant}
FROM role_grant g
WHERE g.org_id = $1 AND g.id = $2;

-- name: grant_holder
-- class: point
-- kind: app_user
-- params: $org id
SELECT {columns_of_account}
FROM role_grant g
JOIN app_user u ON u.org_id = g.org_id AND u.id = g.user_id
WHERE g.org_id = $1 AND g.id = $2;

-- name: grant_access
-- class: point
-- params: $org $actor id
SELECT g.scope_id, NULL::uuid AS owner_id,
       CASE WHEN may_somewhere(g.org_id, $2, 'role.read')
            THEN array_append(a.permissions, 'role.read') ELSE a.permissions END AS permissions,
       a.max_accept_level, a.role_codes
FROM role_grant g
CROSS JOIN LATERAL access_at(g.org_id, $2, g.scope_id) AS a
WHERE g.org_id = $1 AND g.id = $3;

-- name: grant_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit user_id
SELECT {columns_of_grant}
FROM role_grant g
WHERE g.org_id = $1 AND may_somewhere($1, $2, $3)
  AND g.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::uuid IS NULL OR g.user_id = $6)
ORDER BY g.id DESC
LIMIT $5;

-- name: person_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by
INSERT INTO person (org_id, id, version, created_at, created_by, updated_at, updated_by)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: person_update
-- class: commit
-- params: $org id version updated_at updated_by
UPDATE person SET version = $3::bigint, updated_at = $4, updated_by = $5
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: app_user_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by email display_name kind
-- params: state person_id owner_person_ids password_hash failed_logins locked_until
-- params: last_login_at
INSERT INTO app_user (org_id, id, version, created_at, created_by, updated_at, updated_by, email,
        display_name, kind, state, person_id, owner_person_ids, password_hash, failed_logins,
        locked_until, last_login_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13::uuid[], '{}'), $14, $15, $16, $17);

-- name: app_user_update
-- class: commit
-- params: $org id version updated_at updated_by archived_at display_name state password_hash
-- params: failed_logins locked_until last_login_at
UPDATE app_user
SET version = $3, updated_at = $4, updated_by = $5, archived_at = $6, display_name = $7,
    state = $8, password_hash = $9, failed_logins = $10, locked_until = $11, last_login_at = $12
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: role_grant_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by user_id role_code scope_id
-- params: max_accept_level valid_from valid_until revoked_at
INSERT INTO role_grant (org_id, id, version, created_at, created_by, updated_at, updated_by,
        user_id, role_code, scope_id, max_accept_level, valid_from, valid_until, revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nullif($11::smallint, 0), $12, $13, $14);

-- name: role_grant_update
-- class: commit
-- params: $org id version updated_at updated_by revoked_at
UPDATE role_grant
SET version = $3, updated_at = $4, updated_by = $5, revoked_at = $6
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
