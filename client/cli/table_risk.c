/* Commands: the risk register. */
#include "client/cli/table.h"

#define RISK_FLAGS                                                                                 \
	FLAG("--cause", "TEXT", "fields.cause", "why it could happen"),                            \
		FLAG("--event", "TEXT", "fields.event", "what could happen"),                      \
		FLAG("--consequence", "TEXT", "fields.consequence", "what it would lead to"),      \
		FLAG("--system", "SYSTEM", "fields.ai_system_id", "AI system it belongs to"),      \
		MANY("--asset", "ASSET", "fields.asset_ids", "asset it touches"),                  \
		MANY("--threat", "CODE", "fields.threat_ids", "threat of the catalogue"),          \
		MANY("--vulnerability", "CODE", "fields.vulnerability_ids",                        \
		     "weakness of the catalogue")

const struct command table_risk[] = {
	{ .noun = "risk",
	  .verb = "list",
	  .summary = "risks that you may see",
	  .method = "RiskService/ListRisks",
	  .shape = COMMAND_LIST,
	  .row = "risks",
	  .columns = "REF=meta.ref LEVEL=current.level STATE=state TREATED=disposition "
		     "ACCEPTED_UNTIL=accepted_until UNCOVERED=uncovered OWNER=owner_id "
		     "TITLE=title",
	  .params = { FLAG("--scope", "SCOPE", "scope_id", "only of this scope, not below it"),
		      FLAG("--owner", "USER", "owner_id", "only of this owner"),
		      FLAG("--state", "STATE", "state", "only in this state"),
		      FLAG("--min-level", "LEVEL", "min_level",
			   "only with at least this current level"),
		      SWITCH("--uncovered", "uncovered_only",
			     "only above tolerance, not accepted and with no plan on schedule"),
		      AS_OF },
	  .examples = { "isms risk list --min-level high --uncovered",
			"isms risk list --owner me --as-of 2030-06-30 -o csv" } },
	{ .noun = "risk",
	  .verb = "show",
	  .summary = "one risk",
	  .method = "RiskService/GetRisk",
	  .row = "risk",
	  .columns = "REF=meta.ref LEVEL=current.level STATE=state TREATED=disposition "
		     "ACCEPTED_UNTIL=accepted_until UNCOVERED=uncovered OWNER=owner_id "
		     "TITLE=title",
	  .params = { WORD("RISK", "id", "risk", "ref or id"), AS_OF },
	  .examples = { "isms risk show RSK-42", "isms risk show RSK-42 --as-of -30d" } },
	{ .noun = "risk",
	  .summary = "versions of a risk, with what each changed",
	  HISTORY("RISK", "risk", "RiskService/ListRiskVersions",
		  "LEVEL=current.level STATE=state OWNER=owner_id TITLE=title",
		  "risk history RSK-42") },
	{ .noun = "risk",
	  .verb = "create",
	  .summary = "record a risk",
	  .method = "RiskService/CreateRisk",
	  .shape = COMMAND_WRITE,
	  .row = "risk",
	  .params = { NEED("--scope", "SCOPE", "scope_id", "scope it belongs to"),
		      NEED("--title", "TEXT", "fields.title", "short name"),
		      NEED("--owner", "USER", "fields.owner_id", "who owns the risk"), RISK_FLAGS },
	  .examples = { "isms risk create --scope Support --title 'Hidden text in mail steers the "
			"assistant' --owner alex.owner@example.org --asset AST-1 --threat T-INJ-01",
			"isms risk create --scope Support --title 'Model is copied' --owner me "
			"--cause @cause.txt" },
	  .next = "isms risk score {ref} --kind current --likelihood N --impact N --rationale "
		  "TEXT" },
	{ .noun = "risk",
	  .verb = "edit",
	  .summary = "change a risk",
	  .method = "RiskService/UpdateRisk",
	  .shape = COMMAND_EDIT,
	  .row = "risk",
	  .get = "RiskService/GetRisk",
	  .params = { WORD("RISK", "id", "risk", "ref or id"),
		      FLAG("--title", "TEXT", "fields.title", "short name"),
		      FLAG("--owner", "USER", "fields.owner_id", "who owns the risk"), RISK_FLAGS },
	  .examples = { "isms risk edit RSK-42 --title 'Hidden text steers the assistant'",
			"isms risk edit RSK-42 --asset AST-1,AST-2 --expected-version 3" },
	  .next = "isms risk show {ref}" },
	{ .noun = "risk",
	  .verb = "score",
	  .summary = "score a risk by the method in force",
	  .method = "RiskService/ScoreRisk",
	  .shape = COMMAND_WRITE,
	  .row = "risk",
	  .params = { WORD("RISK", "id", "risk", "ref or id"),
		      NEED("--kind", "KIND", "kind", "inherent or current"),
		      NEED("--likelihood", "N", "likelihood", "step of the scale, from 1"),
		      NEED("--impact", "N", "impact", "step of the scale, from 1"),
		      NEED("--rationale", "TEXT", "rationale", "why") },
	  .examples = { "isms risk score RSK-42 --kind current --likelihood 3 --impact 4 "
			"--rationale 'seen twice in tests'",
			"isms risk score RSK-42 --kind inherent --likelihood 4 --impact 4 "
			"--rationale @why.txt" },
	  .next = "isms treat create {ref} --option mitigate, or isms accept create {ref}" },
	{ 0 },
};
