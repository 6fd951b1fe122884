-- The foundation: organisations, people, accounts, sessions, roles and grants,
-- the scope tree with its inheritance, and the rows that every write leaves
-- behind (idempotency, audit, outbox).
--
-- Rules of every table: org_id comes first in the primary key, and every
-- reference is a composite key with it, so that none can cross organisations.
-- Governed rows carry version, created_*, updated_*, archived_at. Nothing is
-- deleted; tables under the trigger append_only are never changed either.
-- Tables that most calls insert into do not refer to organisation itself: a lock
-- on that one row would be shared by all writers.
-- Ids of actors (created_by, updated_by) are plain columns: an account is never
-- removed, and the bootstrap has none yet.

CREATE SCHEMA IF NOT EXISTS isms;
SET search_path TO isms;

-- --- functions ---------------------------------------------------------------

-- The guard of every commit: anything but one row is a lost race.
CREATE FUNCTION must_one(n bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF n IS DISTINCT FROM 1 THEN
		RAISE EXCEPTION 'a row has moved' USING ERRCODE = 'serialization_failure';
	END IF;
	RETURN n;
END $$;

CREATE FUNCTION append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege';
END $$;

-- 'AST', 42 -> 'AST-000042'; longer numbers keep all their digits.
CREATE FUNCTION human_ref(prefix text, n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT prefix || '-' || lpad(n::text, greatest(6, length(n::text)), '0')
$$;

-- UUID version 7 of a moment, for rows that are made in SQL.
CREATE FUNCTION uuid_v7(at timestamptz) RETURNS uuid
LANGUAGE sql VOLATILE AS $$
	SELECT encode(
		set_byte(
			overlay(uuid_send(gen_random_uuid()) PLACING
				substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3)
				FROM 1 FOR 6),
			6, (get_byte(uuid_send(gen_random_uuid()), 0) & 15) | 112),
		'hex')::uuid
$$;

-- --- organisations, people, accounts -----------------------------------------

CREATE TABLE organisation (
	org_id uuid NOT NULL,
	id uuid GENERATED ALWAYS AS (org_id) STORED,
	version bigint NOT NULL DEFAULT 1 CHECK (version >= 1),
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by uuid,
	updated_at timestamptz NOT NULL DEFAULT now(),
	updated_by uuid,
	archived_at timestamptz,
	code text NOT NULL CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	title text NOT NULL CHECK (title <> ''),
	CONSTRAINT organisation_pkey PRIMARY KEY (org_id),
	CONSTRAINT organisation_code_key UNIQUE (code)
);

CREATE TABLE person (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	CONSTRAINT person_pkey PRIMARY KEY (org_id, id)
);

-- LOCKED is not stored: it is ACTIVE with locked_until in the future.
CREATE TABLE app_user (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	email text NOT NULL CHECK (email = lower(email) AND email = btrim(email)),
	display_name text NOT NULL CHECK (display_name <> ''),
	kind text NOT NULL CHECK (kind IN ('HUMAN', 'SERVICE')),
	state text NOT NULL CHECK (state IN ('INVITED', 'ACTIVE', 'DEACTIVATED')),
	person_id uuid,
	owner_person_ids uuid[] NOT NULL DEFAULT '{}',
	password_hash text NOT NULL DEFAULT '',
	failed_logins integer NOT NULL DEFAULT 0 CHECK (failed_logins >= 0),
	locked_until timestamptz,
	last_login_at timestamptz,
	CONSTRAINT app_user_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT app_user_email_key UNIQUE (org_id, email),
	CONSTRAINT app_user_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES person (org_id, id),
	CONSTRAINT app_user_person_check CHECK (
		CASE kind
		WHEN 'HUMAN' THEN person_id IS NOT NULL AND cardinality(owner_person_ids) = 0
		ELSE person_id IS NULL AND cardinality(owner_person_ids) BETWEEN 1 AND 16
		     AND password_hash = ''
		END)
);
CREATE INDEX app_user_person_idx ON app_user (org_id, person_id);

CREATE TABLE session (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	user_id uuid NOT NULL,
	name text NOT NULL,
	token_sha256 bytea NOT NULL CHECK (octet_length(token_sha256) = 32),
	issued_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL,
	revoked_at timestamptz,
	CONSTRAINT session_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT session_token_key UNIQUE (token_sha256),
	CONSTRAINT session_user_fkey FOREIGN KEY (org_id, user_id) REFERENCES app_user (org_id, id)
);
CREATE INDEX session_user_idx ON session (org_id, user_id, id);

CREATE TABLE invitation (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	user_id uuid NOT NULL,
	token_sha256 bytea NOT NULL CHECK (octet_length(token_sha256) = 32),
	expires_at timestamptz NOT NULL,
	used_at timestamptz,
	CONSTRAINT invitation_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT invitation_token_key UNIQUE (token_sha256),
	CONSTRAINT invitation_user_fkey FOREIGN KEY (org_id, user_id) REFERENCES app_user (org_id, id)
);

-- --- scopes ------------------------------------------------------------------

CREATE TABLE scope (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	parent_id uuid,
	kind text NOT NULL CHECK (kind IN ('ORGANISATION', 'UNIT', 'SYSTEM_GROUP', 'SITE')),
	name text NOT NULL CHECK (name <> ''),
	owner_id uuid,
	boundary text NOT NULL DEFAULT '',
	interfaces text NOT NULL DEFAULT '',
	exclusions text NOT NULL DEFAULT '',
	exclusion_reason text NOT NULL DEFAULT '',
	state text NOT NULL CHECK (state IN ('DRAFT', 'IN_REVIEW', 'APPROVED', 'RETIRED')),
	CONSTRAINT scope_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT scope_name_key UNIQUE (org_id, parent_id, name),
	CONSTRAINT scope_parent_fkey FOREIGN KEY (org_id, parent_id) REFERENCES scope (org_id, id),
	CONSTRAINT scope_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES app_user (org_id, id),
	CONSTRAINT scope_root_check CHECK ((kind = 'ORGANISATION') = (parent_id IS NULL)),
	CONSTRAINT scope_exclusion_check CHECK (exclusions = '' OR exclusion_reason <> '')
);
CREATE UNIQUE INDEX scope_root_key ON scope (org_id) WHERE parent_id IS NULL;

-- Each scope with all that are above it, itself included. A scope never moves.
CREATE TABLE scope_closure (
	org_id uuid NOT NULL,
	ancestor_id uuid NOT NULL,
	descendant_id uuid NOT NULL,
	depth integer NOT NULL CHECK (depth BETWEEN 0 AND 31),
	CONSTRAINT scope_closure_pkey PRIMARY KEY (org_id, ancestor_id, descendant_id),
	CONSTRAINT scope_closure_ancestor_fkey
		FOREIGN KEY (org_id, ancestor_id) REFERENCES scope (org_id, id),
	CONSTRAINT scope_closure_descendant_fkey
		FOREIGN KEY (org_id, descendant_id) REFERENCES scope (org_id, id)
);
CREATE INDEX scope_closure_descendant_idx ON scope_closure (org_id, descendant_id, ancestor_id);

-- Runs as the owner, so that the server cannot write the closure by itself.
CREATE FUNCTION scope_closure_grow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = isms, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF NEW.parent_id IS DISTINCT FROM OLD.parent_id THEN
			RAISE EXCEPTION 'a scope cannot move' USING ERRCODE = 'insufficient_privilege';
		END IF;
		RETURN NULL;
	END IF;
	INSERT INTO scope_closure (org_id, ancestor_id, descendant_id, depth)
	SELECT NEW.org_id, NEW.id, NEW.id, 0
	UNION ALL
	SELECT c.org_id, c.ancestor_id, NEW.id, c.depth + 1
	FROM scope_closure c
	WHERE c.org_id = NEW.org_id AND c.descendant_id = NEW.parent_id;
	RETURN NULL;
END $$;
CREATE TRIGGER scope_closure_grow AFTER INSERT OR UPDATE OF parent_id ON scope
	FOR EACH ROW EXECUTE FUNCTION scope_closure_grow();

-- --- roles and grants --------------------------------------------------------

-- Built in, the same for all organisations. A permission is "noun.verb"; with
-- ".own" at its end it holds only for objects that the user owns.
CREATE TABLE role (
	code text NOT NULL CHECK (code ~ '^[A-Z][A-Z_]{0,62}$'),
	title text NOT NULL,
	permissions text[] NOT NULL,
	CONSTRAINT role_pkey PRIMARY KEY (code)
);

-- Who can write users and grants never decides, and who decides never writes
-- them.
INSERT INTO role (code, title, permissions)
SELECT r.code, r.title,
       (SELECT array_agg(DISTINCT p ORDER BY p)
        FROM unnest(string_to_array(
	        CASE WHEN r.member THEN
		        'scope.read system.read asset.read catalog.read risk.read plan.read '
		        || 'acceptance.read user.read '
	        ELSE '' END || r.permissions, ' ')) AS p)
FROM (VALUES
	('ORG_ADMIN', 'Administers accounts, roles, grants and tokens; decides on no risk', false,
	 'user.read user.write role.read grant.write token.write session.revoke scope.read '
	 || 'policy.read policy.write'),
	('ISMS_MANAGER', 'Runs the management system; decides where a policy names the role', true,
	 'scope.write system.write catalog.write role.read policy.read approval.read '
	 || 'audit.read decision.cast acceptance.revoke'),
	('RISK_ANALYST', 'Assesses assets, vulnerabilities and risks and drafts their treatment', true,
	 'asset.write catalog.write risk.write risk.score plan.write plan.submit '
	 || 'acceptance.write acceptance.submit approval.read policy.read'),
	('CONTRIBUTOR', 'Drafts and submits risks, treatments and acceptances', true,
	 'risk.write risk.score plan.write plan.submit acceptance.write acceptance.submit'),
	('ASSET_OWNER', 'Answers for assets', true,
	 'asset.write.own'),
	('MODEL_OWNER', 'Answers for models', true,
	 'asset.write.own'),
	('RISK_OWNER', 'Answers for risks: treats, accepts and revokes within the level granted', true,
	 'risk.write.own plan.write.own plan.submit.own acceptance.write acceptance.submit '
	 || 'acceptance.revoke.own approval.read decision.cast'),
	('APPROVER', 'Decides where a policy asks, within the level granted', true,
	 'approval.read policy.read decision.cast acceptance.revoke'),
	('CISO', 'Chief information security officer: decides on critical risks', true,
	 'approval.read policy.read decision.cast acceptance.revoke'),
	('RISK_COMMITTEE', 'Member of the risk committee: decides on critical risks', true,
	 'approval.read policy.read decision.cast acceptance.revoke'),
	('TOP_MANAGEMENT', 'Top management: decides where a policy asks', true,
	 'approval.read policy.read decision.cast acceptance.revoke'),
	('AUDITOR', 'Reads everything, the audit log included; never decides', true,
	 'role.read policy.read approval.read audit.read'),
	('SERVICE', 'Integrations: may write and submit, never decides', false,
	 'scope.read system.read asset.read asset.write catalog.read risk.read risk.write plan.read '
	 || 'plan.write plan.submit acceptance.read acceptance.write acceptance.submit')
) AS r (code, title, member, permissions);

CREATE TABLE role_grant (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	user_id uuid NOT NULL,
	role_code text NOT NULL REFERENCES role,
	scope_id uuid NOT NULL,
	max_accept_level smallint CHECK (max_accept_level BETWEEN 0 AND 4),
	valid_from timestamptz NOT NULL,
	valid_until timestamptz CHECK (valid_until > valid_from),
	revoked_at timestamptz,
	CONSTRAINT role_grant_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT role_grant_user_fkey FOREIGN KEY (org_id, user_id) REFERENCES app_user (org_id, id),
	CONSTRAINT role_grant_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id)
);
CREATE INDEX role_grant_user_idx ON role_grant (org_id, user_id) WHERE revoked_at IS NULL;
CREATE INDEX role_grant_scope_idx ON role_grant (org_id, scope_id) WHERE revoked_at IS NULL;

-- Who may do what where, now: one row for each grant in force and each scope at
-- or below the one that it was given in. The account's state is not part of it.
CREATE VIEW access AS
SELECT g.org_id,
       g.user_id,
       c.descendant_id AS scope_id,
       r.permissions,
       coalesce(g.max_accept_level, 0::smallint) AS max_accept_level,
       g.role_code,
       g.id AS grant_id,
       g.created_by AS granted_by,
       g.created_at AS granted_at
FROM role_grant g
JOIN role r ON r.code = g.role_code
JOIN scope_closure c ON c.org_id = g.org_id AND c.ancestor_id = g.scope_id
WHERE g.revoked_at IS NULL
  AND g.valid_from <= now()
  AND (g.valid_until IS NULL OR g.valid_until > now());

-- The union of a user's grants at one scope, always exactly one row. The level that
-- may be accepted comes from grants of roles that decide alone.
CREATE FUNCTION access_at(org uuid, actor uuid, scope uuid)
RETURNS TABLE (permissions text[], max_accept_level smallint, role_codes text[])
LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT array_agg(DISTINCT p)
	                 FROM isms.access b CROSS JOIN unnest(b.permissions) AS p
	                 WHERE b.org_id = org AND b.user_id = actor AND b.scope_id = scope),
	                '{}'::text[]),
	       coalesce(max(a.max_accept_level) FILTER (WHERE 'decision.cast' = ANY (a.permissions)),
	                0::smallint),
	       coalesce(array_agg(DISTINCT a.role_code), '{}'::text[])
	FROM isms.access a
	WHERE a.org_id = org AND a.user_id = actor AND a.scope_id = scope
$$;

-- Whether a user holds a permission in some scope of the organisation.
CREATE FUNCTION may_somewhere(org uuid, actor uuid, permission text) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT 1 FROM isms.access a
	               WHERE a.org_id = org AND a.user_id = actor
	                 AND permission = ANY (a.permissions))
$$;

-- --- what every write leaves behind ------------------------------------------

CREATE TABLE idempotency (
	org_id uuid NOT NULL,
	actor_id uuid NOT NULL,
	request_id uuid NOT NULL,
	rpc text NOT NULL,
	body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
	response bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT idempotency_pkey PRIMARY KEY (org_id, actor_id, request_id)
);

-- seq is the order of insertion, tx the transaction: readers of the log follow
-- (tx, seq) below the horizon of the oldest transaction that still runs.
CREATE TABLE audit_event (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	seq bigint GENERATED ALWAYS AS IDENTITY,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
	at timestamptz NOT NULL,
	actor_id uuid,
	actor_name text NOT NULL DEFAULT '',
	entity_kind text NOT NULL DEFAULT '',
	entity_id uuid,
	entity_version bigint NOT NULL DEFAULT 0,
	changed_fields text[] NOT NULL DEFAULT '{}',
	event bytea NOT NULL,
	CONSTRAINT audit_event_pkey PRIMARY KEY (org_id, id)
);
CREATE INDEX audit_event_entity_idx ON audit_event (org_id, entity_id, id);
CREATE INDEX audit_event_actor_idx ON audit_event (org_id, actor_id, id);
CREATE INDEX audit_event_order_idx ON audit_event (tx, seq);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE outbox (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	seq bigint GENERATED ALWAYS AS IDENTITY,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
	at timestamptz NOT NULL DEFAULT now(),
	topic text NOT NULL,
	entity_kind text NOT NULL,
	entity_id uuid NOT NULL,
	entity_version bigint NOT NULL,
	audit_event_id uuid NOT NULL,
	CONSTRAINT outbox_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT outbox_event_fkey FOREIGN KEY (org_id, audit_event_id) REFERENCES audit_event (org_id, id)
);
CREATE INDEX outbox_order_idx ON outbox (tx, seq);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- One row: what page tokens are authenticated with. The random bits come from
-- two random uuids, 244 of them.
CREATE TABLE server_secret (
	one boolean NOT NULL DEFAULT true CHECK (one),
	secret bytea NOT NULL CHECK (octet_length(secret) = 32),
	CONSTRAINT server_secret_pkey PRIMARY KEY (one)
);
INSERT INTO server_secret (secret)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON server_secret
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();
