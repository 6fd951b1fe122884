/* Short forms for the rows of the command tables. */
#ifndef ISMS_CLI_TABLE_H
#define ISMS_CLI_TABLE_H

#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/vote.h"

/* A word that must be there: the object that field holds the id of. */
#define WORD(word, field, kind, text)                                                              \
	{                                                                                          \
		.name = (word), .path = (field), .help = (text), .flags = PARAM_REQUIRED,          \
		.object = (kind)                                                                   \
	}
/* A flag with a value, one that must be given, one for lists, one without value. */
#define FLAG(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text)                   \
	}
#define NEED(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text),                  \
		.flags = PARAM_REQUIRED                                                            \
	}
#define MANY(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text),                  \
		.flags = PARAM_MANY                                                                \
	}
#define SWITCH(flag, field, text)                                                                  \
	{                                                                                          \
		.name = (flag), .path = (field), .help = (text), .flags = PARAM_SWITCH             \
	}

/* Votes: all of them are one call. */
#define VOTE_WORD(text)                                                                            \
	{                                                                                          \
		.name = "ID", .help = (text), .flags = PARAM_REQUIRED                              \
	}
#define VOTE_FLAGS                                                                                 \
	FLAG("--digest", "HEX", NULL, "decide only on what has this digest; asks nothing"),        \
		FLAG("--on-behalf-of", "USER", "on_behalf_of",                                     \
		     "vote as the delegate of this person, whom the inbox names")
#define COMMENT        FLAG("--comment", "TEXT", NULL, "why")
#define COMMENT_NEEDED NEED("--comment", "TEXT", NULL, "why")
#define VOTE_ROW                                                                                   \
	.method = "ApprovalService/CastVote", .shape = COMMAND_WRITE, .id = "request.meta.id",     \
	.columns = "REF=request.meta.ref STATE=request.state SUBJECT=request.subject_ref "         \
		   "STEP=request.current_step REMAINING=remaining"
#define VOTES(name, what, word, ref)                                                               \
	{ .noun = (name),                                                                          \
	  .verb = "approve",                                                                       \
	  .summary = "approve " what,                                                              \
	  VOTE_ROW,                                                                                \
	  .run = vote_approve,                                                                     \
	  .params = { word, VOTE_FLAGS, COMMENT },                                                 \
	  .examples = { "isms " name " approve " ref,                                              \
			"isms " name " approve APR-9 --comment 'as discussed' --yes" } },          \
		{ .noun = (name),                                                                  \
		  .verb = "reject",                                                                \
		  .summary = "reject " what " for good",                                           \
		  VOTE_ROW,                                                                        \
		  .run = vote_reject,                                                              \
		  .params = { word, VOTE_FLAGS, COMMENT_NEEDED },                                  \
		  .examples = { "isms " name " reject " ref " --comment 'not in this way'",        \
				"isms " name " reject " ref " --comment @why.txt --yes" } },       \
		{ .noun = (name),                                                                  \
		  .verb = "request-changes",                                                       \
		  .summary = "send " what " back to its author",                                   \
		  VOTE_ROW,                                                                        \
		  .run = vote_request_changes,                                                     \
		  .params = { word, VOTE_FLAGS, COMMENT_NEEDED },                                  \
		  .examples = { "isms " name " request-changes " ref " --comment 'say more'",      \
				"isms " name                                                       \
				" request-changes APR-9 --comment @why.txt --yes" } },             \
	{                                                                                          \
		.noun = (name), .verb = "recuse", .summary = "step back from deciding on " what,   \
		VOTE_ROW, .run = vote_recuse, .params = { word, VOTE_FLAGS, COMMENT_NEEDED },      \
		.examples = { "isms " name " recuse " ref " --comment 'I know the provider'",      \
			      "isms " name " recuse APR-9 --comment @why.txt --yes" },             \
	}

/* What was, for show and list. */
#define AS_OF FLAG("--as-of", "TIME", "as_of", "as it was then, such as 2030-06-30 or -12h")
/* The versions of an object. */
#define HISTORY(word, kind, rpc, cells, ref)                                                       \
	.verb = "history", .method = (rpc), .shape = COMMAND_LIST, .row = "versions",              \
	.columns = "VERSION=meta.version WHEN=meta.updated_at WHO=meta.updated_by " cells,         \
	.run = history_run, .params = { WORD(word, "id", kind, "ref or id") },                     \
	.examples = { "isms " ref, "isms " ref " -o json" }

extern const struct command table_inventory[];
extern const struct command table_risk[];
extern const struct command table_treat[];
extern const struct command table_accept[];
extern const struct command table_people[];
extern const struct command table_policy[];
extern const struct command table_other[];

#endif
