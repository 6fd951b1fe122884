-- The heart: risk methods, risks and their scores, treatment plans, acceptances,
-- and the approval engine's policies, requests, assignees, snapshots and votes.
--
-- Lists of ids (assets of a risk, controls of a plan, …) are columns of the row
-- that they belong to, so that one version covers them; a trigger mirrors each
-- into a link table whose foreign keys hold the references. The server's role
-- needs no right on the link tables.
-- What is in force is guarded by exclusion constraints that are checked at
-- commit, since the row that takes over may be written before the one it
-- replaces.

SET search_path TO isms;

CREATE SEQUENCE risk_ref;
CREATE SEQUENCE treatment_plan_ref;
CREATE SEQUENCE risk_acceptance_ref;
CREATE SEQUENCE approval_request_ref;

-- --- methods -----------------------------------------------------------------

CREATE TABLE risk_method (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	no integer NOT NULL CHECK (no >= 1),
	title text NOT NULL CHECK (title <> ''),
	active boolean NOT NULL,
	criteria bytea NOT NULL,
	tolerance smallint NOT NULL CHECK (tolerance BETWEEN 1 AND 4), -- of the criteria
	CONSTRAINT risk_method_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT risk_method_no_key UNIQUE (org_id, no)
);
CREATE UNIQUE INDEX risk_method_active_key ON risk_method (org_id) WHERE active;

-- --- risks -------------------------------------------------------------------

-- A score of 0 is none. Levels are numbers because they are compared.
CREATE TABLE risk (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	ref text NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	scope_id uuid NOT NULL,
	ai_system_id uuid,
	title text NOT NULL CHECK (title <> ''),
	cause text NOT NULL DEFAULT '',
	event text NOT NULL DEFAULT '',
	consequence text NOT NULL DEFAULT '',
	owner_id uuid NOT NULL,
	state text NOT NULL CHECK (state IN ('IDENTIFIED', 'ANALYSED', 'TREATMENT_PENDING',
		'IN_TREATMENT', 'MONITORED', 'CLOSED')),
	asset_ids uuid[] NOT NULL DEFAULT '{}',
	threat_ids uuid[] NOT NULL DEFAULT '{}',
	vulnerability_ids uuid[] NOT NULL DEFAULT '{}',
	inherent_likelihood smallint NOT NULL DEFAULT 0 CHECK (inherent_likelihood BETWEEN 0 AND 7),
	inherent_impact smallint NOT NULL DEFAULT 0 CHECK (inherent_impact BETWEEN 0 AND 7),
	inherent_level smallint NOT NULL DEFAULT 0 CHECK (inherent_level BETWEEN 0 AND 4),
	current_likelihood smallint NOT NULL DEFAULT 0 CHECK (current_likelihood BETWEEN 0 AND 7),
	current_impact smallint NOT NULL DEFAULT 0 CHECK (current_impact BETWEEN 0 AND 7),
	current_level smallint NOT NULL DEFAULT 0 CHECK (current_level BETWEEN 0 AND 4),
	target_likelihood smallint NOT NULL DEFAULT 0 CHECK (target_likelihood BETWEEN 0 AND 7),
	target_impact smallint NOT NULL DEFAULT 0 CHECK (target_impact BETWEEN 0 AND 7),
	target_level smallint NOT NULL DEFAULT 0 CHECK (target_level BETWEEN 0 AND 4),
	method_id uuid,
	CONSTRAINT risk_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT risk_ref_key UNIQUE (org_id, ref),
	CONSTRAINT risk_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT risk_ai_system_fkey
		FOREIGN KEY (org_id, ai_system_id) REFERENCES ai_system (org_id, id),
	CONSTRAINT risk_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES app_user (org_id, id),
	CONSTRAINT risk_method_fkey FOREIGN KEY (org_id, method_id) REFERENCES risk_method (org_id, id),
	CONSTRAINT risk_scored_check CHECK (
		(inherent_level > 0) = (inherent_likelihood > 0 AND inherent_impact > 0) AND
		(current_level > 0) = (current_likelihood > 0 AND current_impact > 0) AND
		(target_level > 0) = (target_likelihood > 0 AND target_impact > 0)),
	CONSTRAINT risk_analysed_check CHECK (state = 'IDENTIFIED' OR current_level > 0),
	CONSTRAINT risk_method_check CHECK (
		method_id IS NOT NULL OR (inherent_level = 0 AND current_level = 0 AND target_level = 0))
);
CREATE INDEX risk_scope_idx ON risk (org_id, scope_id, state);
CREATE INDEX risk_level_idx ON risk (org_id, current_level DESC, id);
CREATE INDEX risk_owner_idx ON risk (org_id, owner_id);
CREATE INDEX risk_ai_system_idx ON risk (org_id, ai_system_id, id) WHERE ai_system_id IS NOT NULL;

CREATE TABLE risk_asset (
	org_id uuid NOT NULL,
	risk_id uuid NOT NULL,
	asset_id uuid NOT NULL,
	CONSTRAINT risk_asset_pkey PRIMARY KEY (org_id, risk_id, asset_id),
	CONSTRAINT risk_asset_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT risk_asset_asset_fkey FOREIGN KEY (org_id, asset_id) REFERENCES asset (org_id, id)
);
CREATE INDEX risk_asset_asset_idx ON risk_asset (org_id, asset_id, risk_id);
CREATE TABLE risk_threat (
	org_id uuid NOT NULL,
	risk_id uuid NOT NULL,
	threat_id uuid NOT NULL,
	CONSTRAINT risk_threat_pkey PRIMARY KEY (org_id, risk_id, threat_id),
	CONSTRAINT risk_threat_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT risk_threat_threat_fkey FOREIGN KEY (org_id, threat_id) REFERENCES threat (org_id, id)
);
CREATE TABLE risk_vulnerability (
	org_id uuid NOT NULL,
	risk_id uuid NOT NULL,
	vulnerability_id uuid NOT NULL,
	CONSTRAINT risk_vulnerability_pkey PRIMARY KEY (org_id, risk_id, vulnerability_id),
	CONSTRAINT risk_vulnerability_risk_fkey
		FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT risk_vulnerability_vulnerability_fkey
		FOREIGN KEY (org_id, vulnerability_id) REFERENCES vulnerability (org_id, id)
);

-- Arguments: link table, its column for the row, its column for the other end,
-- and the row's column with the list. Runs as the owner.
CREATE FUNCTION mirror_links() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = isms, pg_temp AS $$
DECLARE
	old_ids uuid[] := '{}';
	new_ids uuid[];
BEGIN
	EXECUTE format('SELECT ($1).%I', TG_ARGV[3]) INTO new_ids USING NEW;
	IF TG_OP = 'UPDATE' THEN
		EXECUTE format('SELECT ($1).%I', TG_ARGV[3]) INTO old_ids USING OLD;
	END IF;
	IF old_ids = new_ids THEN
		RETURN NULL;
	END IF;
	EXECUTE format('DELETE FROM %I WHERE org_id = $1 AND %I = $2 AND NOT %I = ANY ($3)',
		TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]) USING NEW.org_id, NEW.id, new_ids;
	EXECUTE format('INSERT INTO %I (org_id, %I, %I) SELECT DISTINCT $1, $2, i FROM unnest($3) AS i'
		' ON CONFLICT DO NOTHING', TG_ARGV[0], TG_ARGV[1], TG_ARGV[2])
		USING NEW.org_id, NEW.id, new_ids;
	RETURN NULL;
END $$;

-- Keeps a list mirrored. A row whose list is empty or did not change does not run
-- the function: most updates of a decision touch no list.
CREATE PROCEDURE mirror_list(on_table text, list text, link_table text, row_column text,
                             other_column text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I FOR EACH ROW WHEN (NEW.%I <> %L) '
	               'EXECUTE FUNCTION mirror_links(%L, %L, %L, %L)',
	               link_table || '_insert', on_table, list, '{}', link_table, row_column,
	               other_column, list);
	EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %I ON %I FOR EACH ROW '
	               'WHEN (OLD.%I IS DISTINCT FROM NEW.%I) '
	               'EXECUTE FUNCTION mirror_links(%L, %L, %L, %L)',
	               link_table || '_update', list, on_table, list, list, link_table, row_column,
	               other_column, list);
END $$;

CALL mirror_list('risk', 'asset_ids', 'risk_asset', 'risk_id', 'asset_id');
CALL mirror_list('risk', 'threat_ids', 'risk_threat', 'risk_id', 'threat_id');
CALL mirror_list('risk', 'vulnerability_ids', 'risk_vulnerability', 'risk_id',
                 'vulnerability_id');

-- kind: 1 INHERENT, 2 CURRENT, 3 TARGET.
CREATE TABLE risk_score (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	risk_id uuid NOT NULL,
	kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
	likelihood smallint NOT NULL CHECK (likelihood BETWEEN 1 AND 7),
	impact smallint NOT NULL CHECK (impact BETWEEN 1 AND 7),
	level smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
	method_id uuid NOT NULL,
	rationale text NOT NULL CHECK (rationale <> ''),
	scored_by uuid NOT NULL,
	scored_by_persons uuid[] NOT NULL CHECK (cardinality(scored_by_persons) > 0),
	at timestamptz NOT NULL,
	CONSTRAINT risk_score_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT risk_score_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT risk_score_method_fkey
		FOREIGN KEY (org_id, method_id) REFERENCES risk_method (org_id, id),
	CONSTRAINT risk_score_user_fkey FOREIGN KEY (org_id, scored_by) REFERENCES app_user (org_id, id)
);
CREATE INDEX risk_score_risk_idx ON risk_score (org_id, risk_id, kind, id DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_score
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- --- treatment ---------------------------------------------------------------

CREATE TABLE treatment_plan (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	ref text NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	scope_id uuid NOT NULL,
	risk_id uuid NOT NULL,
	option text NOT NULL CHECK (option IN ('MITIGATE', 'TRANSFER', 'ACCEPT', 'AVOID')),
	state text NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'CHANGES_REQUESTED', 'APPROVED',
		'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED', 'INEFFECTIVE', 'REJECTED', 'WITHDRAWN',
		'CANCELLED', 'SUPERSEDED')),
	author_id uuid NOT NULL,
	content bytea NOT NULL,
	approval_request_id uuid,
	contributor_ids uuid[] NOT NULL CHECK (cardinality(contributor_ids) > 0),
	ai_system_id uuid,
	avoid_action text CHECK (avoid_action IN ('NOT_DEPLOY', 'DECOMMISSION', 'DISABLE_FEATURE')),
	lapses_at timestamptz,
	control_ids uuid[] NOT NULL DEFAULT '{}',
	assignee_ids uuid[] NOT NULL DEFAULT '{}',
	CONSTRAINT treatment_plan_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT treatment_plan_ref_key UNIQUE (org_id, ref),
	CONSTRAINT treatment_plan_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT treatment_plan_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT treatment_plan_author_fkey
		FOREIGN KEY (org_id, author_id) REFERENCES app_user (org_id, id),
	CONSTRAINT treatment_plan_ai_system_fkey
		FOREIGN KEY (org_id, ai_system_id) REFERENCES ai_system (org_id, id),
	CONSTRAINT treatment_plan_in_force_excl EXCLUDE USING btree
		(org_id WITH =, risk_id WITH =, option WITH =)
		WHERE (state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED'))
		DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX treatment_plan_open_key ON treatment_plan (org_id, risk_id, option)
	WHERE state IN ('SUBMITTED', 'CHANGES_REQUESTED');
CREATE INDEX treatment_plan_risk_idx ON treatment_plan (org_id, risk_id, id);
CREATE INDEX treatment_plan_ai_system_idx ON treatment_plan (org_id, ai_system_id)
	WHERE option = 'AVOID';

CREATE TABLE treatment_plan_control (
	org_id uuid NOT NULL,
	plan_id uuid NOT NULL,
	control_id uuid NOT NULL,
	CONSTRAINT treatment_plan_control_pkey PRIMARY KEY (org_id, plan_id, control_id),
	CONSTRAINT treatment_plan_control_plan_fkey
		FOREIGN KEY (org_id, plan_id) REFERENCES treatment_plan (org_id, id),
	CONSTRAINT treatment_plan_control_control_fkey
		FOREIGN KEY (org_id, control_id) REFERENCES control (org_id, id)
);
CREATE TABLE treatment_plan_assignee (
	org_id uuid NOT NULL,
	plan_id uuid NOT NULL,
	user_id uuid NOT NULL,
	CONSTRAINT treatment_plan_assignee_pkey PRIMARY KEY (org_id, plan_id, user_id),
	CONSTRAINT treatment_plan_assignee_plan_fkey
		FOREIGN KEY (org_id, plan_id) REFERENCES treatment_plan (org_id, id),
	CONSTRAINT treatment_plan_assignee_user_fkey
		FOREIGN KEY (org_id, user_id) REFERENCES app_user (org_id, id)
);
CALL mirror_list('treatment_plan', 'control_ids', 'treatment_plan_control', 'plan_id',
                 'control_id');
CALL mirror_list('treatment_plan', 'assignee_ids', 'treatment_plan_assignee', 'plan_id', 'user_id');

-- --- acceptances -------------------------------------------------------------

CREATE TABLE risk_acceptance (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	ref text NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	scope_id uuid NOT NULL,
	risk_id uuid NOT NULL,
	plan_id uuid NOT NULL,
	state text NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'CHANGES_REQUESTED', 'ACTIVE',
		'REJECTED', 'WITHDRAWN', 'REVOKED', 'EXPIRED', 'INVALIDATED', 'SUPERSEDED')),
	rationale text NOT NULL CHECK (char_length(rationale) >= 40),
	business_reason text NOT NULL DEFAULT '',
	conditions text NOT NULL DEFAULT '',
	compensating_control_ids uuid[] NOT NULL DEFAULT '{}',
	author_id uuid NOT NULL,
	requested_by uuid,
	level smallint NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 4),
	valid_from timestamptz,
	valid_until timestamptz NOT NULL,
	approval_request_id uuid,
	ended_at timestamptz,
	ended_by uuid,
	end_reason text NOT NULL DEFAULT '',
	contributor_ids uuid[] NOT NULL CHECK (cardinality(contributor_ids) > 0),
	CONSTRAINT risk_acceptance_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT risk_acceptance_ref_key UNIQUE (org_id, ref),
	CONSTRAINT risk_acceptance_plan_key UNIQUE (org_id, plan_id),
	CONSTRAINT risk_acceptance_scope_fkey
		FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT risk_acceptance_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT risk_acceptance_plan_fkey
		FOREIGN KEY (org_id, plan_id) REFERENCES treatment_plan (org_id, id),
	CONSTRAINT risk_acceptance_author_fkey
		FOREIGN KEY (org_id, author_id) REFERENCES app_user (org_id, id),
	CONSTRAINT risk_acceptance_requester_fkey
		FOREIGN KEY (org_id, requested_by) REFERENCES app_user (org_id, id),
	CONSTRAINT risk_acceptance_term_check CHECK (valid_from IS NULL OR valid_until > valid_from),
	CONSTRAINT risk_acceptance_in_force_check CHECK (state <> 'ACTIVE' OR (
		valid_from IS NOT NULL AND level > 0 AND requested_by IS NOT NULL
		AND approval_request_id IS NOT NULL AND ended_at IS NULL)),
	CONSTRAINT risk_acceptance_in_force_excl EXCLUDE USING btree
		(org_id WITH =, risk_id WITH =) WHERE (state = 'ACTIVE')
		DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX risk_acceptance_risk_idx ON risk_acceptance (org_id, risk_id, id);
CREATE INDEX risk_acceptance_until_idx ON risk_acceptance (org_id, valid_until)
	WHERE state = 'ACTIVE';

CREATE TABLE risk_acceptance_control (
	org_id uuid NOT NULL,
	acceptance_id uuid NOT NULL,
	control_id uuid NOT NULL,
	CONSTRAINT risk_acceptance_control_pkey PRIMARY KEY (org_id, acceptance_id, control_id),
	CONSTRAINT risk_acceptance_control_acceptance_fkey
		FOREIGN KEY (org_id, acceptance_id) REFERENCES risk_acceptance (org_id, id),
	CONSTRAINT risk_acceptance_control_control_fkey
		FOREIGN KEY (org_id, control_id) REFERENCES control (org_id, id)
);
CREATE INDEX risk_acceptance_control_idx ON risk_acceptance_control (org_id, control_id);
CALL mirror_list('risk_acceptance', 'compensating_control_ids', 'risk_acceptance_control',
                 'acceptance_id', 'control_id');

-- The risk with what is derived from its plans and its acceptance at this
-- moment; every reader takes it from here. An acceptance that has run out, or a
-- transfer that has lapsed, counts no more.
CREATE VIEW risk_now AS
SELECT r.*,
       CASE WHEN p.avoided THEN 'AVOIDED'
            WHEN a.valid_until IS NOT NULL THEN 'ACCEPTED'
            WHEN p.transferred THEN 'TRANSFERRED'
            WHEN p.mitigated THEN 'MITIGATED'
            ELSE 'UNTREATED' END AS disposition,
       a.valid_until AS accepted_until
FROM risk r
LEFT JOIN LATERAL (
	SELECT bool_or(t.option = 'AVOID') AS avoided,
	       bool_or(t.option = 'TRANSFER' AND t.lapses_at > now()) AS transferred,
	       bool_or(t.option = 'MITIGATE') AS mitigated
	FROM treatment_plan t
	WHERE t.org_id = r.org_id AND t.risk_id = r.id
	  AND t.state IN ('APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')) p ON true
LEFT JOIN LATERAL (
	SELECT max(c.valid_until) AS valid_until
	FROM risk_acceptance c
	WHERE c.org_id = r.org_id AND c.risk_id = r.id
	  AND c.state = 'ACTIVE' AND c.valid_until > now()) a ON true;

CREATE VIEW risk_acceptance_now AS
SELECT c.*, (c.state = 'ACTIVE' AND c.valid_until > now()) AS effective
FROM risk_acceptance c;

-- --- approval ----------------------------------------------------------------

CREATE TABLE approval_policy (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	subject_kind text NOT NULL CHECK (subject_kind IN ('TREATMENT_PLAN', 'ACCEPTANCE')),
	scope_id uuid NOT NULL,
	min_level smallint NOT NULL CHECK (min_level BETWEEN 1 AND 4),
	max_level smallint NOT NULL CHECK (max_level BETWEEN 1 AND 4),
	priority integer NOT NULL DEFAULT 0,
	no integer NOT NULL CHECK (no >= 1),
	steps bytea NOT NULL CHECK (octet_length(steps) > 0),
	CONSTRAINT approval_policy_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT approval_policy_scope_fkey
		FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT approval_policy_levels_check CHECK (min_level <= max_level)
);
CREATE INDEX approval_policy_scope_idx ON approval_policy (org_id, subject_kind, scope_id)
	WHERE archived_at IS NULL;

-- The subject is one of two kinds; the generated columns let foreign keys hold
-- whichever it is.
CREATE TABLE approval_request (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	ref text NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	scope_id uuid NOT NULL,
	subject_kind text NOT NULL CHECK (subject_kind IN ('TREATMENT_PLAN', 'ACCEPTANCE')),
	subject_id uuid NOT NULL,
	subject_ref text NOT NULL,
	subject_version bigint NOT NULL CHECK (subject_version >= 1),
	plan_id uuid GENERATED ALWAYS AS (
		CASE subject_kind WHEN 'TREATMENT_PLAN' THEN subject_id END) STORED,
	acceptance_id uuid GENERATED ALWAYS AS (
		CASE subject_kind WHEN 'ACCEPTANCE' THEN subject_id END) STORED,
	risk_id uuid NOT NULL,
	risk_version bigint NOT NULL CHECK (risk_version >= 1),
	level smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
	state text NOT NULL CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'CHANGES_REQUESTED',
		'WITHDRAWN', 'EXPIRED', 'STALE')),
	current_step integer NOT NULL CHECK (current_step >= 0),
	requested_by uuid NOT NULL,
	requested_by_person uuid NOT NULL,
	contributor_persons uuid[] NOT NULL DEFAULT '{}',
	snapshot_sha256 bytea NOT NULL CHECK (octet_length(snapshot_sha256) = 32),
	policy_id uuid NOT NULL,
	policy_no integer NOT NULL,
	steps bytea NOT NULL CHECK (octet_length(steps) > 0),
	closed_at timestamptz,
	close_reason text NOT NULL DEFAULT '',
	CONSTRAINT approval_request_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT approval_request_ref_key UNIQUE (org_id, ref),
	CONSTRAINT approval_request_scope_fkey
		FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT approval_request_plan_fkey
		FOREIGN KEY (org_id, plan_id) REFERENCES treatment_plan (org_id, id),
	CONSTRAINT approval_request_acceptance_fkey
		FOREIGN KEY (org_id, acceptance_id) REFERENCES risk_acceptance (org_id, id),
	CONSTRAINT approval_request_risk_fkey FOREIGN KEY (org_id, risk_id) REFERENCES risk (org_id, id),
	CONSTRAINT approval_request_requester_fkey
		FOREIGN KEY (org_id, requested_by) REFERENCES app_user (org_id, id),
	CONSTRAINT approval_request_person_fkey
		FOREIGN KEY (org_id, requested_by_person) REFERENCES person (org_id, id),
	CONSTRAINT approval_request_policy_fkey
		FOREIGN KEY (org_id, policy_id) REFERENCES approval_policy (org_id, id),
	CONSTRAINT approval_request_open_check CHECK (
		(state = 'PENDING') = (current_step > 0) AND (state = 'PENDING') = (closed_at IS NULL))
);
CREATE UNIQUE INDEX approval_request_open_key
	ON approval_request (org_id, subject_kind, subject_id) WHERE state = 'PENDING';
CREATE INDEX approval_request_risk_idx ON approval_request (org_id, risk_id) WHERE state = 'PENDING';

-- Written with the request that they belong to, which is written after its
-- subject.
ALTER TABLE treatment_plan ADD CONSTRAINT treatment_plan_request_fkey
	FOREIGN KEY (org_id, approval_request_id) REFERENCES approval_request (org_id, id)
	DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE risk_acceptance ADD CONSTRAINT risk_acceptance_request_fkey
	FOREIGN KEY (org_id, approval_request_id) REFERENCES approval_request (org_id, id)
	DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE approval_assignee (
	org_id uuid NOT NULL,
	request_id uuid NOT NULL,
	step_no integer NOT NULL CHECK (step_no >= 1),
	user_id uuid NOT NULL,
	person_id uuid NOT NULL,
	display_name text NOT NULL,
	via text NOT NULL CHECK (via <> ''),
	state text NOT NULL CHECK (state IN ('PENDING', 'VOTED', 'RECUSED', 'VOID')),
	CONSTRAINT approval_assignee_pkey PRIMARY KEY (org_id, request_id, step_no, user_id),
	CONSTRAINT approval_assignee_request_fkey
		FOREIGN KEY (org_id, request_id) REFERENCES approval_request (org_id, id),
	CONSTRAINT approval_assignee_user_fkey
		FOREIGN KEY (org_id, user_id) REFERENCES app_user (org_id, id),
	CONSTRAINT approval_assignee_person_fkey
		FOREIGN KEY (org_id, person_id) REFERENCES person (org_id, id)
);
CREATE INDEX approval_assignee_user_idx ON approval_assignee (org_id, user_id, request_id);

CREATE TABLE approval_snapshot (
	org_id uuid NOT NULL,
	request_id uuid NOT NULL,
	snapshot bytea NOT NULL,
	CONSTRAINT approval_snapshot_pkey PRIMARY KEY (org_id, request_id),
	CONSTRAINT approval_snapshot_request_fkey
		FOREIGN KEY (org_id, request_id) REFERENCES approval_request (org_id, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_snapshot
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE approval_vote (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	request_id uuid NOT NULL,
	step_no integer NOT NULL CHECK (step_no >= 1),
	voter_id uuid NOT NULL,
	voter_person uuid NOT NULL,
	voter_name text NOT NULL,
	decision text NOT NULL CHECK (decision IN ('APPROVE', 'REJECT', 'REQUEST_CHANGES')),
	comment text NOT NULL DEFAULT '',
	snapshot_sha256 bytea NOT NULL CHECK (octet_length(snapshot_sha256) = 32),
	session_id uuid NOT NULL,
	at timestamptz NOT NULL,
	CONSTRAINT approval_vote_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT approval_vote_person_key UNIQUE (org_id, request_id, step_no, voter_person),
	CONSTRAINT approval_vote_assignee_fkey FOREIGN KEY (org_id, request_id, step_no, voter_id)
		REFERENCES approval_assignee (org_id, request_id, step_no, user_id),
	CONSTRAINT approval_vote_person_fkey
		FOREIGN KEY (org_id, voter_person) REFERENCES person (org_id, id),
	CONSTRAINT approval_vote_session_fkey
		FOREIGN KEY (org_id, session_id) REFERENCES session (org_id, id),
	CONSTRAINT approval_vote_comment_check CHECK (decision = 'APPROVE' OR comment <> '')
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_vote
	FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- --- a new organisation ------------------------------------------------------

-- The starter method and the starter policies, at the root scope. Messages stored
-- whole are written as their bytes, made from the texts in sql/defaults:
--   protoc -Iproto --encode=isms.v1.RiskCriteria isms/v1/catalog.proto
--          < sql/defaults/risk_criteria.txtpb | xxd -p
--   protoc -Iproto --encode=isms.v1.PolicySteps isms/v1/approval.proto
--          < sql/defaults/policy_owner.txtpb | xxd -p       (and _high, _critical)
CREATE FUNCTION bootstrap_risk(org uuid, actor uuid) RETURNS void
LANGUAGE plpgsql SET search_path = isms, pg_temp AS $$
DECLARE
	root uuid;
BEGIN
	SELECT id INTO STRICT root FROM scope WHERE org_id = org AND parent_id IS NULL;

	INSERT INTO risk_method (org_id, id, version, created_at, created_by, updated_at, updated_by,
	                         no, title, active, tolerance, criteria)
	VALUES (org, uuid_v7(now()), 1, now(), actor, now(), actor, 1, 'Default five by five criteria',
	        true, 3, decode(
		'0a410a045261726512396c657373207468616e206f6e636520696e2074656e2079656172733b206e6565647320736b69' ||
		'6c6c2c2061636365737320616e64206c75636b0a260a08556e6c696b656c79121a6f6e636520696e2074687265652074' ||
		'6f2074656e2079656172730a450a08506f737369626c6512396f6e636520696e206f6e6520746f207468726565207965' ||
		'6172733b207365656e2061742073696d696c6172206f7267616e69736174696f6e730a240a064c696b656c79121a6f6e' ||
		'6520746f207477656c76652074696d6573206120796561720a460a084672657175656e74123a6d6f6e74686c79206f72' ||
		'206d6f72652c206f7220746f6f6c7320666f72207468652061747461636b20617265206672656520616e642065617379' ||
		'12640a0a4e65676c696769626c65125670656f706c653a206e6f206566666563743b206d6f6e65793a2062656c6f7720' ||
		'3130206b3b206f7065726174696f6e3a206e6f2064697372757074696f6e3b206c61773a206e6f6e653b207472757374' ||
		'3a206e6f6e651286010a054d696e6f72127d70656f706c653a20616e6e6f79616e63653b206d6f6e65793a203130206b' ||
		'20746f20313030206b3b206f7065726174696f6e3a20686f7572732c20776f726b2d61726f756e64206578697374733b' ||
		'206c61773a206d696e6f7220646576696174696f6e3b2074727573743a2073696e676c6520636f6d706c61696e747312' ||
		'b1010a084d6f64657261746512a40170656f706c653a20736f6d652070656f706c6520646973616476616e7461676564' ||
		'2c2072657665727369626c653b206d6f6e65793a20313030206b20746f2031204d3b206f7065726174696f6e3a206120' ||
		'6461792c20637573746f6d657273206e6f746963653b206c61773a20636f6d706c61696e7420746f20617574686f7269' ||
		'747920706f737369626c653b2074727573743a206c6f63616c20617474656e74696f6e12a4010a054d616a6f72129a01' ||
		'70656f706c653a206861726d20746f206865616c74682c20726967687473206f72206c6976656c69686f6f643b206d6f' ||
		'6e65793a2031204d20746f203130204d3b206f7065726174696f6e3a20646179732c206b65792070726f636573732073' ||
		'746f70733b206c61773a2066696e65206f72206f72646572206c696b656c793b2074727573743a206e6174696f6e616c' ||
		'20617474656e74696f6e12b0010a0653657665726512a50170656f706c653a2064656174682c206c617374696e672068' ||
		'61726d206f72206d616e792070656f706c653b206d6f6e65793a2061626f7665203130204d3b206f7065726174696f6e' ||
		'3a207765656b73206f7220756e7265636f76657261626c653b206c61773a2062616e2c207769746864726177616c206f' ||
		'72206372696d696e616c20636173653b2074727573743a206c617374696e67206c6f7373206f662074727573741a1901' ||
		'0101020301010202030102020304020203030402030304042208080110ed0218ed022208080210b40118b40122060803' ||
		'105a185a22060804101e181e28023003',
		'hex'));

	-- LOW and MEDIUM: the risk's owner. HIGH: then another person of the
	-- management system. CRITICAL: the owner, then the CISO, then two of the
	-- risk committee, all different.
	INSERT INTO approval_policy (org_id, id, version, created_at, created_by, updated_at,
	                             updated_by, subject_kind, scope_id, min_level, max_level,
	                             priority, no, steps)
	SELECT org, uuid_v7(now()), 1, now(), actor, now(), actor, k.kind, root, p.min_level,
	       p.max_level, 0, 1, decode(p.steps, 'hex')
	FROM unnest(ARRAY['TREATMENT_PLAN', 'ACCEPTANCE']) AS k (kind)
	CROSS JOIN (VALUES
		(1, 2, '0a06080110012001'),
		(3, 3, '0a060801100120010a160802100120022a0c49534d535f4d414e414745523001'),
		(4, 4, '0a060801100120010a0e0802100120022a044349534f3001'
		       '0a1a08031003180220022a0e5249534b5f434f4d4d49545445453001'))
		AS p (min_level, max_level, steps);
END $$;
