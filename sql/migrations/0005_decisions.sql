-- Decisions to the end: policies that are themselves approved, delegation, recusal,
-- escalation and time-outs; renewal and review of acceptances; progress and
-- verification of plans; what happened to every governed row; and announcements that
-- can be watched by scope.

SET search_path TO isms;

-- --- approval policies -------------------------------------------------------

CREATE SEQUENCE approval_policy_ref;

ALTER TABLE approval_policy
	ADD COLUMN ref text NOT NULL
		DEFAULT human_ref('POL', nextval('isms.approval_policy_ref')),
	ADD COLUMN title text NOT NULL DEFAULT '',
	ADD COLUMN state text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('DRAFT', 'SUBMITTED',
		'CHANGES_REQUESTED', 'ACTIVE', 'REJECTED', 'WITHDRAWN', 'RETIRED')),
	ADD COLUMN author_id uuid,
	ADD COLUMN contributor_ids uuid[] NOT NULL DEFAULT '{}',
	ADD COLUMN replaces_id uuid,
	ADD COLUMN repeals boolean NOT NULL DEFAULT false,
	ADD COLUMN approval_request_id uuid,
	ADD COLUMN replaces_version bigint NOT NULL DEFAULT 0 CHECK (replaces_version >= 0),
	ADD CONSTRAINT approval_policy_ref_key UNIQUE (org_id, ref),
	ADD CONSTRAINT approval_policy_author_fkey
		FOREIGN KEY (org_id, author_id) REFERENCES app_user (org_id, id),
	ADD CONSTRAINT approval_policy_replaces_fkey
		FOREIGN KEY (org_id, replaces_id) REFERENCES approval_policy (org_id, id),
	ADD CONSTRAINT approval_policy_request_fkey
		FOREIGN KEY (org_id, approval_request_id) REFERENCES approval_request (org_id, id)
		DEFERRABLE INITIALLY DEFERRED,
	ADD CONSTRAINT approval_policy_repeals_check CHECK (NOT repeals OR replaces_id IS NOT NULL),
	DROP CONSTRAINT approval_policy_steps_check,
	ADD CONSTRAINT approval_policy_steps_check CHECK (repeals OR octet_length(steps) > 0),
	DROP CONSTRAINT approval_policy_subject_kind_check,
	ADD CONSTRAINT approval_policy_subject_kind_check
		CHECK (subject_kind IN ('TREATMENT_PLAN', 'ACCEPTANCE', 'POLICY_CHANGE'));
DROP INDEX approval_policy_scope_idx;
CREATE INDEX approval_policy_scope_idx ON approval_policy (org_id, subject_kind, scope_id)
	WHERE state = 'ACTIVE';
CREATE UNIQUE INDEX approval_policy_successor_key ON approval_policy (org_id, replaces_id)
	WHERE state = 'ACTIVE';

-- --- approval requests -------------------------------------------------------

-- A change of policies is about no risk and has no level.
ALTER TABLE approval_request
	ADD COLUMN changed_policy_id uuid GENERATED ALWAYS AS (
		CASE subject_kind WHEN 'POLICY_CHANGE' THEN subject_id END) STORED,
	ADD COLUMN step_opened_at timestamptz,
	ADD COLUMN step_due_at timestamptz,
	ADD COLUMN escalates_at timestamptz,
	ADD COLUMN escalated boolean NOT NULL DEFAULT false,
	ADD COLUMN escalates_to text NOT NULL DEFAULT '',
	ADD COLUMN allows_delegate boolean NOT NULL DEFAULT false,
	ADD COLUMN distinct_from_prior boolean NOT NULL DEFAULT false,
	ALTER COLUMN risk_id DROP NOT NULL,
	DROP CONSTRAINT approval_request_risk_version_check,
	ADD CONSTRAINT approval_request_risk_version_check CHECK (risk_version >= 0),
	DROP CONSTRAINT approval_request_level_check,
	ADD CONSTRAINT approval_request_level_check CHECK (level BETWEEN 0 AND 4),
	DROP CONSTRAINT approval_request_subject_kind_check,
	ADD CONSTRAINT approval_request_subject_kind_check
		CHECK (subject_kind IN ('TREATMENT_PLAN', 'ACCEPTANCE', 'POLICY_CHANGE')),
	ADD CONSTRAINT approval_request_about_check CHECK (
		(subject_kind = 'POLICY_CHANGE') = (risk_id IS NULL)
		AND (subject_kind = 'POLICY_CHANGE') = (level = 0)),
	ADD CONSTRAINT approval_request_policy_change_fkey
		FOREIGN KEY (org_id, changed_policy_id) REFERENCES approval_policy (org_id, id);
UPDATE approval_request SET step_opened_at = updated_at;
ALTER TABLE approval_request ALTER COLUMN step_opened_at SET NOT NULL;
CREATE INDEX approval_request_subject_idx ON approval_request (org_id, subject_id);
CREATE INDEX approval_request_pending_idx ON approval_request (org_id, id)
	WHERE state = 'PENDING';

CREATE INDEX role_grant_role_idx ON role_grant (org_id, role_code, scope_id) WHERE revoked_at IS NULL;

ALTER TABLE approval_assignee ADD COLUMN escalated boolean NOT NULL DEFAULT false;

-- --- delegation --------------------------------------------------------------

CREATE SEQUENCE delegation_ref;

CREATE TABLE delegation (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	ref text NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	from_user_id uuid NOT NULL,
	to_user_id uuid NOT NULL,
	scope_id uuid NOT NULL,
	subject_kinds text[] NOT NULL CHECK (
		cardinality(subject_kinds) > 0
		AND subject_kinds <@ ARRAY['TREATMENT_PLAN', 'ACCEPTANCE', 'POLICY_CHANGE']),
	max_level smallint NOT NULL CHECK (max_level BETWEEN 0 AND 4),
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	reason text NOT NULL CHECK (reason <> ''),
	revoked_at timestamptz,
	revoke_reason text NOT NULL DEFAULT '',
	CONSTRAINT delegation_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT delegation_ref_key UNIQUE (org_id, ref),
	CONSTRAINT delegation_from_fkey FOREIGN KEY (org_id, from_user_id) REFERENCES app_user (org_id, id),
	CONSTRAINT delegation_to_fkey FOREIGN KEY (org_id, to_user_id) REFERENCES app_user (org_id, id),
	CONSTRAINT delegation_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT delegation_self_check CHECK (from_user_id <> to_user_id),
	CONSTRAINT delegation_term_check
		CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '30 days')
);
CREATE INDEX delegation_from_idx ON delegation (org_id, from_user_id, id);
CREATE INDEX delegation_to_idx ON delegation (org_id, to_user_id, id);

-- --- votes -------------------------------------------------------------------

-- ordinal numbers the votes of a person: two that are cast at once cannot both take
-- a number, so that a limit on how many there may be in an hour holds.
-- auth_method, credential_fp and ip are how the voter was known, see isms.v1.ApprovalVote;
-- unknown of votes that were cast before they were kept.
ALTER TABLE approval_vote
	ADD COLUMN auth_method text CHECK (auth_method IN ('PASSWORD', 'TOKEN')),
	ADD COLUMN credential_fp bytea CHECK (octet_length(credential_fp) = 32),
	ADD COLUMN ip text NOT NULL DEFAULT '',
	ADD COLUMN on_behalf_of uuid,
	ADD COLUMN on_behalf_person uuid,
	ADD COLUMN on_behalf_of_name text NOT NULL DEFAULT '',
	ADD COLUMN delegation_id uuid,
	ADD COLUMN ordinal bigint,
	ADD COLUMN assignee_id uuid GENERATED ALWAYS AS (coalesce(on_behalf_of, voter_id)) STORED,
	DROP CONSTRAINT approval_vote_decision_check,
	ADD CONSTRAINT approval_vote_decision_check
		CHECK (decision IN ('APPROVE', 'REJECT', 'REQUEST_CHANGES', 'RECUSE')),
	DROP CONSTRAINT approval_vote_assignee_fkey,
	ADD CONSTRAINT approval_vote_delegate_check CHECK (
		(on_behalf_of IS NULL) = (delegation_id IS NULL)
		AND (on_behalf_of IS NULL) = (on_behalf_person IS NULL)
		AND on_behalf_person IS DISTINCT FROM voter_person),
	ADD CONSTRAINT approval_vote_behalf_fkey
		FOREIGN KEY (org_id, on_behalf_of) REFERENCES app_user (org_id, id),
	ADD CONSTRAINT approval_vote_behalf_person_fkey
		FOREIGN KEY (org_id, on_behalf_person) REFERENCES person (org_id, id),
	ADD CONSTRAINT approval_vote_delegation_fkey
		FOREIGN KEY (org_id, delegation_id) REFERENCES delegation (org_id, id);
ALTER TABLE approval_vote ADD CONSTRAINT approval_vote_assignee_fkey
	FOREIGN KEY (org_id, request_id, step_no, assignee_id)
	REFERENCES approval_assignee (org_id, request_id, step_no, user_id);
ALTER TABLE approval_vote DISABLE TRIGGER append_only;
UPDATE approval_vote v SET ordinal = n.ordinal
FROM (SELECT org_id, id, row_number() OVER (PARTITION BY org_id, voter_person ORDER BY id) AS ordinal
      FROM approval_vote) n
WHERE v.org_id = n.org_id AND v.id = n.id;
ALTER TABLE approval_vote ENABLE TRIGGER append_only;
ALTER TABLE approval_vote
	ALTER COLUMN ordinal SET NOT NULL,
	ADD CONSTRAINT approval_vote_ordinal_key UNIQUE (org_id, voter_person, ordinal);
CREATE UNIQUE INDEX approval_vote_authority_key ON approval_vote
	(org_id, request_id, step_no, (coalesce(on_behalf_person, voter_person)));

-- --- acceptances and plans ---------------------------------------------------

-- warned_days: the last warning of the end that was given, 30, 7 or 1; 0: none.
-- review_days: what the steps that approved it say, see PolicySteps.
-- review_by_persons: who made the changes that are to be reviewed.
-- review_warned: somebody was warned that it lapses soon.
ALTER TABLE risk_acceptance
	ADD COLUMN previous_id uuid,
	ADD COLUMN warned_days smallint NOT NULL DEFAULT 0 CHECK (warned_days IN (0, 1, 7, 30)),
	ADD COLUMN review_days smallint NOT NULL DEFAULT 0 CHECK (review_days BETWEEN 0 AND 90),
	ADD COLUMN review_due_at timestamptz,
	ADD COLUMN review_reason text NOT NULL DEFAULT '',
	ADD COLUMN review_by_persons uuid[] NOT NULL DEFAULT '{}',
	ADD COLUMN review_warned boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT risk_acceptance_previous_fkey
		FOREIGN KEY (org_id, previous_id) REFERENCES risk_acceptance (org_id, id);

CREATE INDEX risk_acceptance_end_idx ON risk_acceptance (least(valid_until, review_due_at))
	WHERE state = 'ACTIVE';
CREATE INDEX risk_acceptance_review_idx ON risk_acceptance (org_id, review_due_at)
	WHERE state = 'ACTIVE' AND review_due_at IS NOT NULL;

-- Reviews by which an acceptance was kept in force; one that ended it is told by the
-- acceptance itself. Each counts as a decision of its person.
CREATE TABLE acceptance_review (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	acceptance_id uuid NOT NULL,
	reviewer_id uuid NOT NULL,
	reviewer_person uuid NOT NULL,
	reviewer_name text NOT NULL,
	reason text NOT NULL,
	comment text NOT NULL CHECK (comment <> ''),
	at timestamptz NOT NULL,
	CONSTRAINT acceptance_review_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT acceptance_review_acceptance_fkey
		FOREIGN KEY (org_id, acceptance_id) REFERENCES risk_acceptance (org_id, id),
	CONSTRAINT acceptance_review_reviewer_fkey
		FOREIGN KEY (org_id, reviewer_id) REFERENCES app_user (org_id, id),
	CONSTRAINT acceptance_review_person_fkey
		FOREIGN KEY (org_id, reviewer_person) REFERENCES person (org_id, id)
);
CREATE INDEX acceptance_review_person_idx ON acceptance_review (org_id, reviewer_person, at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acceptance_review
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

ALTER TABLE treatment_plan
	ADD COLUMN progress bytea,
	ADD COLUMN verification bytea,
	ADD COLUMN end_reason text NOT NULL DEFAULT '',
	ADD COLUMN lowered bytea,
	ADD COLUMN counts_from timestamptz,
	ADD COLUMN due_at timestamptz,
	ADD COLUMN supersedes_id uuid,
	ADD CONSTRAINT treatment_plan_supersedes_fkey
		FOREIGN KEY (org_id, supersedes_id) REFERENCES treatment_plan (org_id, id);
CREATE INDEX treatment_plan_lapse_idx ON treatment_plan (org_id, lapses_at)
	WHERE option = 'TRANSFER' AND state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED');

DROP VIEW risk_now;
DROP VIEW risk_acceptance_now;

-- An acceptance is in force until it ends, or until a review that is due was not
-- made in time.
CREATE VIEW risk_acceptance_now AS
SELECT c.*, (c.state = 'ACTIVE' AND c.valid_until > now()
             AND (c.review_due_at IS NULL OR c.review_due_at > now())) AS effective
FROM risk_acceptance c;

-- The risk with what is derived from its plans and its acceptance at this
-- moment; every reader takes it from here. An acceptance that has run out, or a
-- transfer that has lapsed, counts no more; a plan that begins later does not yet.
-- FILTER leaves no condition by which the planner, without statistics, would look
-- through what is in force on all risks.
CREATE VIEW risk_now AS
SELECT r.*,
       CASE WHEN p.avoided THEN 'AVOIDED'
            WHEN a.valid_until IS NOT NULL THEN 'ACCEPTED'
            WHEN p.transferred THEN 'TRANSFERRED'
            WHEN p.mitigated THEN 'MITIGATED'
            ELSE 'UNTREATED' END AS disposition,
       a.valid_until AS accepted_until,
       m.tolerance,
       (r.current_level > m.tolerance AND a.valid_until IS NULL
        AND p.on_schedule IS NOT TRUE) IS TRUE AS uncovered
FROM risk r
LEFT JOIN LATERAL (
	SELECT x.tolerance FROM risk_method x
	WHERE x.org_id = r.org_id AND x.id = r.method_id OFFSET 0) m ON true
LEFT JOIN LATERAL (
	SELECT bool_or(t.option = 'AVOID' AND b.begun) AS avoided,
	       bool_or(t.option = 'TRANSFER' AND b.begun AND t.lapses_at > now()) AS transferred,
	       bool_or(t.option = 'MITIGATE') AS mitigated,
	       bool_or(t.option <> 'ACCEPT' AND t.state <> 'VERIFIED' AND t.due_at > now()
	               AND coalesce(t.lapses_at > now(), true)) AS on_schedule
	FROM treatment_plan t
	CROSS JOIN LATERAL (SELECT coalesce(t.counts_from <= now(), true) AS begun) b
	WHERE t.org_id = r.org_id AND t.risk_id = r.id
	  AND t.state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')) p ON true
LEFT JOIN LATERAL (
	SELECT max(c.valid_until) FILTER (
		WHERE c.state = 'ACTIVE' AND c.valid_until > now()
		  AND (c.review_due_at IS NULL OR c.review_due_at > now())) AS valid_until
	FROM risk_acceptance c
	WHERE c.org_id = r.org_id AND c.risk_id = r.id) a ON true;

-- Which score is the last one, whatever the clock says: each score of a risk is written
-- while its transaction holds the row of the risk.
ALTER TABLE risk_score ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
DROP INDEX risk_score_risk_idx;
CREATE INDEX risk_score_risk_idx ON risk_score (org_id, risk_id, kind, seq DESC);

-- --- what every write leaves behind ------------------------------------------

-- Where an announcement may be heard, and of what.
-- organisation is no longer referred to: all writers would lock that one row, and the
-- audit event stands for it.
ALTER TABLE outbox
	ADD COLUMN scope_id uuid,
	ADD COLUMN entity_ref text NOT NULL DEFAULT '',
	DROP CONSTRAINT outbox_org_id_fkey;
CREATE INDEX outbox_organisation_idx ON outbox (org_id, tx, seq);

CREATE INDEX idempotency_created_idx ON idempotency (created_at);

-- Keys are kept for eight days, a day more than promised. Returns how many went, at
-- most a thousand at once. Runs as the owner: the server deletes nothing by itself.
CREATE FUNCTION purge_idempotency() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = isms, pg_temp AS $$
	WITH old AS (
		SELECT org_id, actor_id, request_id FROM idempotency
		WHERE created_at < now() - interval '8 days'
		ORDER BY created_at LIMIT 1000
		FOR UPDATE SKIP LOCKED),
	gone AS (
		DELETE FROM idempotency i USING old o
		WHERE i.org_id = o.org_id AND i.actor_id = o.actor_id AND i.request_id = o.request_id
		RETURNING 1)
	SELECT count(*) FROM gone
$$;

-- --- history -----------------------------------------------------------------

-- Each version of each row that has versions; one holds until the next. Accounts,
-- sessions and invitations are not kept: their rows hold secrets.
CREATE TABLE row_history (
	org_id uuid NOT NULL,
	entity_kind text NOT NULL,
	entity_id uuid NOT NULL,
	version bigint NOT NULL,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
	at timestamptz NOT NULL,
	row_json jsonb NOT NULL,
	CONSTRAINT row_history_pkey PRIMARY KEY (org_id, entity_kind, entity_id, version)
);
-- The faster compression, where PostgreSQL was built with it.
DO $$
BEGIN
	ALTER TABLE row_history ALTER COLUMN row_json SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
	NULL;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON row_history
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Runs as the owner: the server cannot write what did not happen. Every name is given
-- with its schema, instead of a search_path to be set at each call: it runs for each row
-- that a decision changes. A write that leaves the version as it was fails at the key.
CREATE FUNCTION keep_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	INSERT INTO isms.row_history (org_id, entity_kind, entity_id, version, at, row_json)
	VALUES (NEW.org_id, TG_TABLE_NAME, NEW.id, NEW.version, NEW.updated_at,
	        pg_catalog.to_jsonb(NEW));
	RETURN NULL;
END $$;

CREATE PROCEDURE keep_history_of(on_table text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO row_history (org_id, entity_kind, entity_id, version, at, row_json) '
	               'SELECT t.org_id, %L, t.id, t.version, t.updated_at, to_jsonb(t) FROM %I t',
	               on_table, on_table);
	EXECUTE format('CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON %I '
	               'FOR EACH ROW EXECUTE FUNCTION keep_history()', on_table);
END $$;

CALL keep_history_of('organisation');
CALL keep_history_of('person');
CALL keep_history_of('scope');
CALL keep_history_of('ai_system');
CALL keep_history_of('asset');
CALL keep_history_of('threat');
CALL keep_history_of('vulnerability');
CALL keep_history_of('control');
CALL keep_history_of('risk_method');
CALL keep_history_of('role_grant');
CALL keep_history_of('risk');
CALL keep_history_of('treatment_plan');
CALL keep_history_of('risk_acceptance');
CALL keep_history_of('approval_policy');
CALL keep_history_of('approval_request');
CALL keep_history_of('delegation');

-- What was: a version holds from its time (updated_at, by the clock of the database)
-- until the next one's. The functions below run as who calls them and are such that
-- the planner puts their bodies in place of the calls.

-- The key by which versions are paged.
CREATE FUNCTION version_key(version bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex(version), 32, '0')::uuid $$;
-- The version before which the next page goes on; NULL: the first page.
CREATE FUNCTION key_version(key uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(('x' || right(replace(key::text, '-', ''), 16))::bit(64)::bigint,
	                9223372036854775807)
$$;

-- The row as it was, or nothing when it was not there yet.
CREATE FUNCTION row_at(org uuid, kind text, id uuid, t timestamptz)
RETURNS TABLE (row_json jsonb) LANGUAGE sql STABLE AS $$
	SELECT h.row_json FROM isms.row_history h
	WHERE h.org_id = org AND h.entity_kind = kind AND h.entity_id = id AND h.at <= t
	ORDER BY h.version DESC LIMIT 1
$$;

-- risk_acceptance_now of another time, from the row as it was.
CREATE FUNCTION risk_acceptance_was(row_json jsonb, t timestamptz)
RETURNS SETOF risk_acceptance_now LANGUAGE sql STABLE AS $$
	SELECT c.*, (c.state = 'ACTIVE' AND c.valid_until > t
	             AND (c.review_due_at IS NULL OR c.review_due_at > t))
	FROM jsonb_populate_record(NULL::isms.risk_acceptance, row_json) c
$$;

-- risk_now of another time, from the row as it was. No plan and no acceptance is ever
-- taken to another risk.
CREATE FUNCTION risk_was(row_json jsonb, t timestamptz)
RETURNS SETOF risk_now LANGUAGE sql STABLE AS $$
	SELECT r.*,
	       CASE WHEN p.avoided THEN 'AVOIDED'
	            WHEN a.valid_until IS NOT NULL THEN 'ACCEPTED'
	            WHEN p.transferred THEN 'TRANSFERRED'
	            WHEN p.mitigated THEN 'MITIGATED'
	            ELSE 'UNTREATED' END,
	       a.valid_until,
	       m.tolerance,
	       (r.current_level > m.tolerance AND a.valid_until IS NULL
	        AND p.on_schedule IS NOT TRUE) IS TRUE
	FROM jsonb_populate_record(NULL::isms.risk, row_json) r
	LEFT JOIN LATERAL (
		SELECT x.tolerance FROM isms.risk_method x
		WHERE x.org_id = r.org_id AND x.id = r.method_id OFFSET 0) m ON true
	LEFT JOIN LATERAL (
		SELECT bool_or(n.option = 'AVOID' AND b.begun) AS avoided,
		       bool_or(n.option = 'TRANSFER' AND b.begun AND w.lapses_at > t) AS transferred,
		       bool_or(n.option = 'MITIGATE') AS mitigated,
		       bool_or(n.option <> 'ACCEPT' AND w.state <> 'VERIFIED' AND w.due_at > t
		               AND coalesce(w.lapses_at > t, true)) AS on_schedule
		FROM isms.treatment_plan n
		CROSS JOIN LATERAL isms.row_at(n.org_id, 'treatment_plan', n.id, t) h
		CROSS JOIN LATERAL jsonb_to_record(h.row_json)
			AS w (state text, lapses_at timestamptz, counts_from timestamptz,
			      due_at timestamptz)
		CROSS JOIN LATERAL (SELECT coalesce(w.counts_from <= t, true) AS begun) b
		WHERE n.org_id = r.org_id AND n.risk_id = r.id
		  AND w.state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')) p
		ON true
	LEFT JOIN LATERAL (
		SELECT max(c.valid_until) AS valid_until
		FROM isms.risk_acceptance n
		CROSS JOIN LATERAL isms.row_at(n.org_id, 'risk_acceptance', n.id, t) h
		CROSS JOIN LATERAL jsonb_to_record(h.row_json)
			AS c (state text, valid_until timestamptz, review_due_at timestamptz)
		WHERE n.org_id = r.org_id AND n.risk_id = r.id
		  AND c.state = 'ACTIVE' AND c.valid_until > t
		  AND (c.review_due_at IS NULL OR c.review_due_at > t)) a ON true
$$;

-- --- roles -------------------------------------------------------------------

UPDATE role r
SET permissions = (SELECT array_agg(DISTINCT p ORDER BY p)
                   FROM unnest(r.permissions || string_to_array(n.permissions, ' ')) AS p)
FROM (VALUES
	('ISMS_MANAGER', 'policy.write plan.verify plan.cancel control.write'),
	('RISK_ANALYST', 'control.write'),
	('RISK_OWNER', 'policy.read plan.verify.own plan.cancel.own'),
	('APPROVER', 'plan.verify'),
	('CISO', 'plan.verify plan.cancel')) AS n (code, permissions)
WHERE r.code = n.code;

-- --- a new organisation ------------------------------------------------------

-- The starter policies with who may delegate, when a step is overdue and to whom it
-- escalates; and the policy by which policies are changed: the CISO, then another
-- member of the top management. Made from sql/defaults as 0003 says.
CREATE FUNCTION bootstrap_policies(org uuid, actor uuid) RETURNS void
LANGUAGE plpgsql SET search_path = isms, pg_temp AS $$
DECLARE
	root uuid;
BEGIN
	SELECT id INTO STRICT root FROM scope WHERE org_id = org AND parent_id IS NULL;

	UPDATE approval_policy y
	SET version = y.version + 1, updated_at = now(), updated_by = actor,
	    title = n.title, steps = decode(n.steps, 'hex')
	FROM (VALUES
		(1, 2, 'The owner of the risk',
		 '0a1c080110012001380140d00248a801520c49534d535f4d414e41474552'),
		(3, 3, 'The owner, then the management system',
		 '0a14080110012001380140d00248a80152044349534f'
		 '0a2e0802100120022a0c49534d535f4d414e414745523001380140d00248a801520e544f505f'
		 '4d414e4147454d454e54'),
		(4, 4, 'The owner, the CISO and two of the risk committee',
		 '0a0908011001200140a801'
		 '0a250802100120022a044349534f3001380140a8014848520e544f505f4d414e4147454d454e54'
		 '0a1d08031003180220022a0e5249534b5f434f4d4d4954544545300140a801'))
		AS n (min_level, max_level, title, steps)
	WHERE y.org_id = org AND y.scope_id = root AND y.version = 1
	  AND y.min_level = n.min_level AND y.max_level = n.max_level;

	INSERT INTO approval_policy (org_id, id, version, created_at, created_by, updated_at,
	                             updated_by, subject_kind, scope_id, min_level, max_level,
	                             priority, no, title, steps)
	VALUES (org, uuid_v7(now()), 1, now(), actor, now(), actor, 'POLICY_CHANGE', root, 1, 4, 0, 1,
	        'The CISO, then the top management', decode(
		'0a0f0801100120022a044349534f40d002'
		'0a1b0802100120022a0e544f505f4d414e4147454d454e54300140d002', 'hex'));
END $$;
SELECT bootstrap_policies(o.org_id, o.created_by) FROM organisation o;

ALTER FUNCTION bootstrap_risk(uuid, uuid) RENAME TO bootstrap_method;
CREATE FUNCTION bootstrap_risk(org uuid, actor uuid) RETURNS void
LANGUAGE plpgsql SET search_path = isms, pg_temp AS $$
BEGIN
	PERFORM bootstrap_method(org, actor);
	PERFORM bootstrap_policies(org, actor);
END $$;
