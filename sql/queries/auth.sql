-- Logins, invitations and sessions.

-- No row for an account without a password: the engine then verifies against a
-- hash of nobody, so that all refusals take the same time. An empty organisation
-- means the only one.
-- name: account_by_email
-- class: point
-- kind: app_user
-- tenantless: the caller has no token yet; the organisation is named by its code
-- params: $email organisation
SELECT {columns_of_account}
FROM app_user u
JOIN organisation o ON o.org_id = u.org_id
WHERE u.email = $1 AND u.kind = 'HUMAN' AND u.password_hash <> ''
  AND (o.code = $2::text OR ($2::text = '' AND (SELECT count(*) FROM organisation) = 1));

-- Where a failed login of nobody is recorded.
-- name: organisation_for_login
-- class: point
-- tenantless: the caller has no token yet; the organisation is named by its code
-- params: organisation
SELECT o.id, o.version, o.created_at, o.created_by, o.updated_at, o.updated_by, o.archived_at,
       o.code, o.title
FROM organisation o
WHERE o.code = $1::text OR ($1::text = '' AND (SELECT count(*) FROM organisation) = 1);

-- name: invitation_by_secret
-- class: point
-- kind: invitation
-- tenantless: the invitation says which organisation
-- params: $secret_sha256
SELECT i.id, i.version, i.created_at, i.created_by, i.updated_at, i.updated_by, i.archived_at,
       i.org_id, i.user_id, i.token_sha256, i.expires_at, i.used_at
FROM invitation i
WHERE i.token_sha256 = $1;

-- name: invitation_account
-- class: point
-- kind: app_user
-- tenantless: the invitation says which organisation
-- params: $secret_sha256
SELECT {columns_of_account}
FROM invitation i
JOIN app_user u ON u.org_id = i.org_id AND u.id = i.user_id
WHERE i.token_sha256 = $1;

-- name: session_current
-- class: point
-- kind: session
-- params: $org $session
SELECT {columns_of_session}
FROM session s
WHERE s.org_id = $1 AND s.id = $2;

-- name: session_for_revoke
-- class: point
-- kind: session
-- params: $org session_id
SELECT {columns_of_session}
FROM session s
WHERE s.org_id = $1 AND s.id = $2;

-- Own sessions are seen and revoked by everybody, others by holders of
-- session.revoke at the root.
-- name: session_access
-- class: point
-- params: $org $actor session_id
SELECT r.id AS scope_id, s.user_id AS owner_id,
       array_append(a.permissions, 'session.revoke.own') AS permissions,
       a.max_accept_level, a.role_codes
FROM session s
JOIN scope r ON r.org_id = s.org_id AND r.parent_id IS NULL
CROSS JOIN LATERAL access_at(s.org_id, $2, r.id) AS a
WHERE s.org_id = $1 AND s.id = $3
  AND (s.user_id = $2 OR 'session.revoke' = ANY (a.permissions));

-- name: session_list
-- class: list
-- params: $org $actor $page_after $page_limit
SELECT s.id AS page_key, s.id, s.user_id, s.name, s.issued_at, s.expires_at, s.last_seen_at,
       s.revoked_at
FROM session s
WHERE s.org_id = $1 AND s.user_id = $2 AND s.id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY s.id DESC
LIMIT $4;

-- name: whoami_user
-- class: point
-- params: $org $actor
SELECT {columns_of_user}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $2;

-- name: whoami_grants
-- class: point
-- params: $org $actor
SELECT {columns_of_grant}
FROM role_grant g
WHERE g.org_id = $1 AND g.user_id = $2 AND g.revoked_at IS NULL AND g.valid_from <= now()
  AND (g.valid_until IS NULL OR g.valid_until > now())
ORDER BY g.id DESC
LIMIT 1000;

-- name: whoami_session
-- class: point
-- params: $org $actor $session
SELECT o.code || ': ' || o.title AS organisation,
       coalesce((SELECT array_agg(DISTINCT p ORDER BY p)
                 FROM access a CROSS JOIN unnest(a.permissions) AS p
                 WHERE a.org_id = $1 AND a.user_id = $2), '{}'::text[]) AS permissions,
       s.id AS session_id, s.expires_at
FROM session s
JOIN organisation o ON o.org_id = s.org_id
WHERE s.org_id = $1 AND s.id = $3;

-- name: session_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by user_id name token_sha256
-- params: issued_at expires_at last_seen_at revoked_at
INSERT INTO session (org_id, id, version, created_at, created_by, updated_at, updated_by,
        user_id, name, token_sha256, issued_at, expires_at, last_seen_at, revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: session_update
-- class: commit
-- params: $org id version updated_at updated_by revoked_at
UPDATE session
SET version = $3, updated_at = $4, updated_by = $5, revoked_at = $6
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: invitation_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by user_id token_sha256
-- params: expires_at used_at
INSERT INTO invitation (org_id, id, version, created_at, created_by, updated_at, updated_by,
        user_id, token_sha256, expires_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: invitation_update
-- class: commit
-- params: $org id version updated_at updated_by used_at
UPDATE invitation
SET version = $3, updated_at = $4, updated_by = $5, used_at = $6
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
