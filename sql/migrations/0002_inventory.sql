-- The inventory: AI systems, assets, and the organisation's threats,
-- vulnerabilities and controls. The rules of all tables stand in 0001.

SET search_path TO isms;

CREATE SEQUENCE ai_system_ref;
CREATE SEQUENCE asset_ref;

CREATE TABLE ai_system (
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
	name text NOT NULL CHECK (name <> ''),
	purpose text NOT NULL DEFAULT '',
	sourcing text NOT NULL CHECK (sourcing IN
		('IN_HOUSE', 'THIRD_PARTY_API', 'HOSTED_MODEL', 'EMBEDDED', 'OPEN_MODEL')),
	vendor_service text NOT NULL DEFAULT '',
	processes boolean NOT NULL,
	stores boolean NOT NULL,
	transmits boolean NOT NULL,
	owner_id uuid,
	in_scope boolean NOT NULL,
	out_reason text NOT NULL DEFAULT '',
	stage text NOT NULL CHECK (stage IN ('PROPOSED', 'BUILDING', 'EVALUATING', 'APPROVED',
		'DEPLOYED', 'SUSPENDED', 'RETIRED', 'NOT_DEPLOYED')),
	CONSTRAINT ai_system_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT ai_system_ref_key UNIQUE (org_id, ref),
	CONSTRAINT ai_system_name_key UNIQUE (org_id, scope_id, name),
	CONSTRAINT ai_system_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT ai_system_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES app_user (org_id, id),
	CONSTRAINT ai_system_vendor_check CHECK (sourcing <> 'THIRD_PARTY_API' OR vendor_service <> ''),
	-- What handles information of the scope is inside; what is outside says why.
	CONSTRAINT ai_system_in_scope_check CHECK (
		CASE WHEN in_scope THEN out_reason = ''
		ELSE out_reason <> '' AND NOT (processes OR stores OR transmits) END)
);
CREATE INDEX ai_system_scope_idx ON ai_system (org_id, scope_id, id);

CREATE TABLE asset (
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
	category text NOT NULL CHECK (category IN ('TRAINING_DATA', 'MODEL', 'AI_INFRASTRUCTURE',
		'PROMPT_CONFIG', 'AI_OUTPUT', 'EVALUATION_DATA', 'PERSONNEL', 'GENERAL')),
	subtype text NOT NULL DEFAULT '',
	name text NOT NULL CHECK (name <> ''),
	description text NOT NULL DEFAULT '',
	owner_id uuid,
	-- Rank: 1 PUBLIC, 2 INTERNAL, 3 CONFIDENTIAL, 4 RESTRICTED; NULL while unknown.
	classification smallint CHECK (classification BETWEEN 1 AND 4),
	class_source text CHECK (class_source IN ('DEFAULT', 'OWNER', 'INHERITED')),
	class_reason text NOT NULL DEFAULT '',
	use_case text NOT NULL DEFAULT '',
	location_uri text NOT NULL DEFAULT '',
	state text NOT NULL CHECK (state IN ('DRAFT', 'ACTIVE', 'DEPRECATED', 'DISPOSED')),
	CONSTRAINT asset_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT asset_ref_key UNIQUE (org_id, ref),
	CONSTRAINT asset_name_key UNIQUE (org_id, scope_id, name),
	CONSTRAINT asset_scope_fkey FOREIGN KEY (org_id, scope_id) REFERENCES scope (org_id, id),
	CONSTRAINT asset_ai_system_fkey
		FOREIGN KEY (org_id, ai_system_id) REFERENCES ai_system (org_id, id),
	CONSTRAINT asset_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES app_user (org_id, id),
	CONSTRAINT asset_class_check CHECK ((classification IS NULL) = (class_source IS NULL)),
	CONSTRAINT asset_active_check CHECK (
		state <> 'ACTIVE' OR (owner_id IS NOT NULL AND classification IS NOT NULL))
);
CREATE INDEX asset_scope_idx ON asset (org_id, scope_id, id);
CREATE INDEX asset_ai_system_idx ON asset (org_id, ai_system_id, id);

CREATE TABLE threat (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	code text NOT NULL CHECK (code <> ''),
	name text NOT NULL CHECK (name <> ''),
	family text NOT NULL,
	description text NOT NULL,
	builtin boolean NOT NULL,
	CONSTRAINT threat_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT threat_code_key UNIQUE (org_id, code)
);

CREATE TABLE vulnerability (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	code text NOT NULL CHECK (code <> ''),
	name text NOT NULL CHECK (name <> ''),
	area text NOT NULL,
	description text NOT NULL,
	how_to_check text NOT NULL,
	builtin boolean NOT NULL,
	CONSTRAINT vulnerability_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT vulnerability_code_key UNIQUE (org_id, code)
);

CREATE TABLE control (
	org_id uuid NOT NULL REFERENCES organisation,
	id uuid NOT NULL,
	version bigint NOT NULL CHECK (version >= 1),
	created_at timestamptz NOT NULL,
	created_by uuid,
	updated_at timestamptz NOT NULL,
	updated_by uuid,
	archived_at timestamptz,
	code text NOT NULL CHECK (code <> ''),
	name text NOT NULL CHECK (name <> ''),
	kind text NOT NULL,
	statement text NOT NULL,
	evidence text NOT NULL,
	state text NOT NULL CHECK (state IN
		('PLANNED', 'IMPLEMENTED', 'OPERATING', 'DEGRADED', 'RETIRED')),
	builtin boolean NOT NULL,
	CONSTRAINT control_pkey PRIMARY KEY (org_id, id),
	CONSTRAINT control_code_key UNIQUE (org_id, code)
);
