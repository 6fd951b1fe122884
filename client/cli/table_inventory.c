/* Commands: scopes, AI systems, assets, the catalogue and the risk method. */
#include "client/cli/hooks.h"
#include "client/cli/table.h"

#define SCOPE_FLAGS                                                                                \
	FLAG("--owner", "USER", "fields.owner_id", "who answers for it"),                          \
		FLAG("--boundary", "TEXT", "fields.boundary", "what is inside"),                   \
		FLAG("--interfaces", "TEXT", "fields.interfaces",                                  \
		     "interfaces and dependencies across the boundary"),                           \
		FLAG("--exclusions", "TEXT", "fields.exclusions", "what is left out"),             \
		FLAG("--exclusion-reason", "TEXT", "fields.exclusion_reason",                      \
		     "why it is left out")

#define SYSTEM_FLAGS                                                                               \
	FLAG("--purpose", "TEXT", "fields.purpose", "what it is for"),                             \
		FLAG("--vendor", "TEXT", "fields.vendor_service",                                  \
		     "provider and service, for third-party-api"),                                 \
		SWITCH("--processes", "fields.processes",                                          \
		       "it processes information of the scope"),                                   \
		SWITCH("--stores", "fields.stores", "it stores information of the scope"),         \
		SWITCH("--transmits", "fields.transmits",                                          \
		       "it transmits information of the scope"),                                   \
		FLAG("--out-reason", "TEXT", "fields.out_reason", "why it is outside the scope")

#define ASSET_FLAGS                                                                                \
	FLAG("--system", "SYSTEM", "fields.ai_system_id", "AI system it belongs to"),              \
		FLAG("--subtype", "TYPE", "fields.subtype", "finer kind, such as SYSTEM_PROMPT"),  \
		FLAG("--description", "TEXT", "fields.description", "what it is"),                 \
		FLAG("--owner", "USER", "fields.owner_id", "who answers for it"),                  \
		FLAG("--classification", "LEVEL", "fields.classification",                         \
		     "public, internal, confidential or restricted"),                              \
		FLAG("--class-reason", "TEXT", "fields.class_reason", "why that level"),           \
		FLAG("--use-case", "TEXT", "fields.use_case",                                      \
		     "what it is used for, for ai-output"),                                        \
		FLAG("--location", "URI", "fields.location_uri", "where it is kept")

const struct command table_inventory[] = {
	{ .noun = "scope",
	  .verb = "list",
	  .summary = "scopes that you may see",
	  .method = "ScopeService/ListScopes",
	  .shape = COMMAND_LIST,
	  .row = "scopes",
	  .columns = "NAME=name KIND=kind STATE=state OWNER=owner_id PARENT=parent_id ID=meta.id",
	  .examples = { "isms scope list", "isms scope list -o json" } },
	{ .noun = "scope",
	  .verb = "show",
	  .summary = "one scope",
	  .method = "ScopeService/GetScope",
	  .row = "scope",
	  .params = { WORD("SCOPE", "id", "scope", "name or id") },
	  .examples = { "isms scope show Example", "isms scope show Example -o json" } },
	{ .noun = "scope",
	  .summary = "versions of a scope, with what each changed",
	  HISTORY("SCOPE", "scope", "ScopeService/ListScopeVersions", "STATE=state NAME=name",
		  "scope history Example") },
	{ .noun = "scope",
	  .verb = "create",
	  .summary = "create a scope under another",
	  .method = "ScopeService/CreateScope",
	  .shape = COMMAND_WRITE,
	  .row = "scope",
	  .params = { NEED("--parent", "SCOPE", "parent_id", "scope above"),
		      NEED("--kind", "KIND", "kind", "unit, system-group or site"),
		      NEED("--name", "TEXT", "fields.name", "name, unique under its parent"),
		      SCOPE_FLAGS },
	  .examples = { "isms scope create --parent Example --kind unit --name Support",
			"isms scope create --parent Example --kind site --name Lab --boundary "
			"'all rooms of the lab'" },
	  .next = "isms scope show {ref}" },
	{ .noun = "scope",
	  .verb = "edit",
	  .summary = "change a scope",
	  .method = "ScopeService/UpdateScope",
	  .shape = COMMAND_EDIT,
	  .row = "scope",
	  .get = "ScopeService/GetScope",
	  .params = { WORD("SCOPE", "id", "scope", "name or id"),
		      FLAG("--name", "TEXT", "fields.name", "name, unique under its parent"),
		      SCOPE_FLAGS },
	  .examples = { "isms scope edit Support --owner dana.manager@example.org",
			"isms scope edit Support --boundary @boundary.txt" } },

	{ .noun = "system",
	  .verb = "list",
	  .summary = "AI systems that you may see",
	  .method = "ScopeService/ListAiSystems",
	  .shape = COMMAND_LIST,
	  .row = "ai_systems",
	  .columns = "REF=meta.ref STAGE=stage SOURCING=sourcing IN_SCOPE=in_scope OWNER=owner_id "
		     "NAME=name",
	  .params = { FLAG("--scope", "SCOPE", "scope_id", "only of this scope"), AS_OF },
	  .examples = { "isms system list", "isms system list --scope Support -o csv" } },
	{ .noun = "system",
	  .verb = "show",
	  .summary = "one AI system",
	  .method = "ScopeService/GetAiSystem",
	  .row = "ai_system",
	  .params = { WORD("SYSTEM", "id", "system", "ref, name or id"), AS_OF },
	  .examples = { "isms system show AIS-1",
			"isms system show 'Support assistant' -o json" } },
	{ .noun = "system",
	  .summary = "versions of an AI system, with what each changed",
	  HISTORY("SYSTEM", "system", "ScopeService/ListAiSystemVersions", "STAGE=stage NAME=name",
		  "system history AIS-1") },
	{ .noun = "system",
	  .verb = "create",
	  .summary = "register an AI system",
	  .method = "ScopeService/CreateAiSystem",
	  .shape = COMMAND_WRITE,
	  .row = "ai_system",
	  .params = { NEED("--scope", "SCOPE", "scope_id", "scope it belongs to"),
		      NEED("--name", "TEXT", "fields.name", "name, unique in its scope"),
		      NEED("--sourcing", "HOW", "fields.sourcing",
			   "in-house, third-party-api, hosted-model, embedded or open-model"),
		      FLAG("--owner", "USER", "fields.owner_id", "who answers for it"),
		      SYSTEM_FLAGS },
	  .examples = { "isms system create --scope Support --name 'Support assistant' --sourcing "
			"third-party-api --vendor 'Example model service' --processes --owner me",
			"isms system create --scope Support --name Ranker --sourcing in-house" },
	  .next = "isms asset create --scope SCOPE --category model --name NAME --system {ref}" },
	{ .noun = "system",
	  .verb = "edit",
	  .summary = "change an AI system",
	  .method = "ScopeService/UpdateAiSystem",
	  .shape = COMMAND_EDIT,
	  .row = "ai_system",
	  .get = "ScopeService/GetAiSystem",
	  .params = { WORD("SYSTEM", "id", "system", "ref, name or id"),
		      FLAG("--name", "TEXT", "fields.name", "name, unique in its scope"),
		      FLAG("--sourcing", "HOW", "fields.sourcing", "where it comes from"),
		      FLAG("--owner", "USER", "fields.owner_id", "who answers for it"),
		      FLAG("--stage", "STAGE", "fields.stage", "life of the system"),
		      SYSTEM_FLAGS },
	  .examples = { "isms system edit AIS-1 --stage evaluating",
			"isms system edit AIS-1 --stores=false" } },

	{ .noun = "asset",
	  .verb = "list",
	  .summary = "assets that you may see",
	  .method = "AssetService/ListAssets",
	  .shape = COMMAND_LIST,
	  .row = "assets",
	  .columns = "REF=meta.ref CATEGORY=category CLASS=classification STATE=state "
		     "OWNER=owner_id NAME=name",
	  .params = { FLAG("--system", "SYSTEM", "ai_system_id", "only of this AI system"),
		      FLAG("--category", "KIND", "category", "only this category"), AS_OF },
	  .examples = { "isms asset list --category model", "isms asset list --system AIS-1" } },
	{ .noun = "asset",
	  .verb = "show",
	  .summary = "one asset",
	  .method = "AssetService/GetAsset",
	  .row = "asset",
	  .params = { WORD("ASSET", "id", "asset", "ref, name or id"), AS_OF },
	  .examples = { "isms asset show AST-1", "isms asset show AST-1 -o json" } },
	{ .noun = "asset",
	  .summary = "versions of an asset, with what each changed",
	  HISTORY("ASSET", "asset", "AssetService/ListAssetVersions",
		  "CLASS=classification STATE=state NAME=name", "asset history AST-1") },
	{ .noun = "asset",
	  .verb = "create",
	  .summary = "register an asset",
	  .method = "AssetService/CreateAsset",
	  .shape = COMMAND_WRITE,
	  .row = "asset",
	  .params = { NEED("--scope", "SCOPE", "scope_id", "scope it belongs to"),
		      NEED("--category", "KIND", "category",
			   "training-data, model, ai-infrastructure, prompt-config, ai-output, "
			   "evaluation-data, personnel or general"),
		      NEED("--name", "TEXT", "fields.name", "name, unique in its scope"),
		      ASSET_FLAGS },
	  .examples = { "isms asset create --scope Support --category prompt-config --name 'System "
			"prompt' --system AIS-1 --owner me",
			"isms asset create --scope Support --category ai-output --name Answers "
			"--use-case 'answers to customers' --classification internal" },
	  .next = "isms risk create --scope SCOPE --title TITLE --owner USER --asset {ref}" },
	{ .noun = "asset",
	  .verb = "edit",
	  .summary = "change an asset",
	  .method = "AssetService/UpdateAsset",
	  .shape = COMMAND_EDIT,
	  .row = "asset",
	  .get = "AssetService/GetAsset",
	  .params = { WORD("ASSET", "id", "asset", "ref, name or id"),
		      FLAG("--name", "TEXT", "fields.name", "name, unique in its scope"),
		      FLAG("--state", "STATE", "fields.state", "deprecated or disposed"),
		      ASSET_FLAGS },
	  .examples = { "isms asset edit AST-1 --classification restricted",
			"isms asset edit AST-1 --state deprecated" } },

	{ .noun = "catalog",
	  .verb = "threats",
	  .summary = "threats of the catalogue",
	  .method = "CatalogService/ListThreats",
	  .shape = COMMAND_LIST,
	  .row = "threats",
	  .columns = "CODE=code FAMILY=family NAME=name",
	  .params = { FLAG("--code", "CODE", "code", "only this one") },
	  .examples = { "isms catalog threats", "isms catalog threats --code T-INJ-01 -o json" } },
	{ .noun = "catalog",
	  .verb = "vulnerabilities",
	  .summary = "weaknesses of the catalogue",
	  .method = "CatalogService/ListVulnerabilities",
	  .shape = COMMAND_LIST,
	  .row = "vulnerabilities",
	  .columns = "CODE=code AREA=area NAME=name",
	  .params = { FLAG("--code", "CODE", "code", "only this one") },
	  .examples = { "isms catalog vulnerabilities",
			"isms catalog vulnerabilities --fields code,how_to_check -o csv" } },
	{ .noun = "catalog",
	  .verb = "controls",
	  .summary = "controls of the catalogue",
	  .method = "CatalogService/ListControls",
	  .shape = COMMAND_LIST,
	  .row = "controls",
	  .columns = "CODE=code KIND=kind STATE=state NAME=name",
	  .params = { FLAG("--code", "CODE", "code", "only this one") },
	  .examples = { "isms catalog controls", "isms catalog controls --code C-AI-20 -o json" } },
	{ .noun = "control",
	  .verb = "update",
	  .summary = "say how a control stands",
	  .method = "CatalogService/UpdateControl",
	  .shape = COMMAND_WRITE,
	  .row = "control",
	  .run = control_update,
	  .params = { WORD("CONTROL", "id", "control", "code, name or id"),
		      NEED("--state", "STATE", "state",
			   "planned, implemented, operating, degraded or retired") },
	  .examples = { "isms control update C-AI-20 --state operating",
			"isms control update C-AI-20 --state degraded --dry-run" } },
	{ .noun = "method",
	  .verb = "show",
	  .summary = "the risk method in force",
	  .method = "CatalogService/GetActiveMethod",
	  .row = "method",
	  .print = method_print,
	  .columns = "NO=no TITLE=title APPETITE=criteria.appetite TOLERANCE=criteria.tolerance",
	  .examples = { "isms method show", "isms method show -o json" } },
	{ 0 },
};
