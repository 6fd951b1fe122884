/* Commands: the audit log, any RPC, and help; and the list of all tables. */
#include "client/cli/hooks.h"
#include "client/cli/table.h"

const struct command table_other[] = {
	{ .noun = "audit",
	  .verb = "log",
	  .summary = "who did what, newest first",
	  .method = "AuditLogService/ListAuditEvents",
	  .shape = COMMAND_LIST,
	  .row = "events",
	  .id = "event.id",
	  .columns = "TIME=event.at WHO=event.actor_name CALL=event.rpc|tail OUTCOME=event.outcome "
		     "REASON=event.reason KIND=event.entity_kind ABOUT=event.entity_ref "
		     "ALSO=event.changes.entity_ref CHANGED=event.changes.fields.field",
	  .params = { { .name = "--about",
			.value = "OBJECT",
			.path = "entity_id",
			.object = "any",
			.help = "only about this ref, e-mail or id" },
		      FLAG("--user", "USER", "actor_id", "only of this account") },
	  .examples = { "isms audit log --limit 20", "isms audit log --about RSK-42 -o json" } },
	{ .noun = "call",
	  .summary = "call any method of the API with JSON",
	  .run = call_run,
	  .params = { { .name = "METHOD", .help = "SERVICE/METHOD; without it all are listed" },
		      FLAG("--json", "JSON", NULL,
			   "the request: text beginning with {, a file, or - for standard input"),
		      SWITCH("--describe", NULL, "print what the method does and takes") },
	  .examples = { "isms call RiskService/ListRisks --json '{\"minLevel\": \"HIGH\"}'",
			"isms call RiskService/CreateRisk --describe" } },
	{ .noun = "version",
	  .summary = "versions of program and library",
	  .run = help_version,
	  .examples = { "isms version", "isms --version" } },
	{ .noun = "help",
	  .summary = "help on a command or topic",
	  .run = help_run,
	  .params = { { .name = "TOPIC",
			.help = "command, exit-codes, environment, formats, concepts" },
		      { .name = "COMMAND", .help = "second word of a command" } },
	  .examples = { "isms help exit-codes", "isms help risk create" } },
	{ .noun = "completion",
	  .summary = "completion script for a shell",
	  .run = completion_run,
	  .params = { { .name = "SHELL", .help = "bash", .flags = PARAM_REQUIRED } },
	  .examples = { "isms completion bash", "isms completion bash > isms.bash" } },
	{ 0 },
};

const struct command *const command_tables[] = { table_people, table_inventory, table_risk,
						 table_treat,  table_accept,    table_other,
						 NULL };
