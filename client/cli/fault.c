/* Failures of calls in words. Reasons are stable words of the API; each that
 * people meet in their work has a row that says the rule behind it. */
#include <isms/api.h>
#include <string.h>

#include "client/cli/app.h"
#include "client/cli/fault.h"

struct fault {
	const char *reason;
	const char *why;
	const char *next;
};

static const struct fault faults[] = {
	{ "SOD_REQUESTER",
	  "rule S1: whoever asked for a decision never takes it; two people are needed",
	  "somebody else who is asked decides; see isms approval show REQUEST" },
	{ "SOD_CONTRIBUTOR", "rule S2: whoever wrote or scored a part of it does not decide on it",
	  "somebody else who is asked decides; see isms approval show REQUEST" },
	{ "SOD_DELEGATE",
	  "rule S3: a delegate is neither the requester nor an author of the content", NULL },
	{ "SOD_SERVICE", "rule S4: service accounts may submit but never decide",
	  "a person signs in and decides" },
	{ "SOD_DISTINCT", "rule S5: this step needs other people than the earlier ones", NULL },
	{ "SOD_FRESH_GRANT",
	  "rule S6: authority that the requester or an author gave within a day does not count",
	  NULL },
	{ "SOD_QUORUM_HUMANS", "rule S7: a critical risk needs three different people", NULL },
	{ "NOT_ASSIGNEE", "only people who are asked on the open step decide",
	  "isms approval show REQUEST lists them" },
	{ "AUTHORITY_LEVEL", "the level of the risk is above what your grants let you accept",
	  "an approver with a higher max-accept level decides" },
	{ "NOT_REQUESTER", "only the one who submitted it takes it back", NULL },
	{ "SELF_GRANT",
	  "nobody gives roles to themselves, nor to another account of the same person",
	  "another administrator grants it" },
	{ "SELF_DEACTIVATION", "nobody ends their own account", NULL },
	{ "SOD_ROLES", "nobody both decides and administers accounts or grants",
	  "isms role grants --user EMAIL lists what is held; another person gets the role" },
	{ "SERVICE_ROLE", "service accounts never hold a role that decides", NULL },
	{ "PERMISSION_MISSING", "no role of yours gives this permission here",
	  "isms whoami lists your roles; an administrator grants more" },
	{ "CONFLICT", "somebody else changed it after it was read", "read it again, then repeat" },
	{ "CONTENT_CHANGED", "the digest is not that of what is asked now",
	  "read it again: isms approval show REQUEST" },
	{ "STALE", "what was submitted has changed since", "it is submitted again, then decided" },
	{ "CLOSED", "the request has been decided or taken back", "isms approval show REQUEST" },
	{ "STEP_NOT_OPEN", "this step is not the open one", "isms approval show REQUEST" },
	{ "ALREADY_VOTED", "one person, one vote a step", NULL },
	{ "ILLEGAL_STATE", "its state does not allow this", "look at its state with show" },
	{ "NO_POLICY", "no approval policy covers this subject, scope and level",
	  "isms policy list" },
	{ "NO_ELIGIBLE_APPROVER", "a step would have nobody who may decide it",
	  "grant the role to somebody who neither asked nor wrote; isms policy list" },
	{ "RISK_NOT_SCORED", "a risk is scored before it is accepted",
	  "isms risk score RISK --kind current --likelihood N --impact N --rationale TEXT" },
	{ "DURATION_CAP", "an acceptance ends in the future and within the limit of its level",
	  "isms method show lists the limits" },
	{ "DECLASSIFICATION_NEEDED", "the level asked for is below the floor of the category",
	  NULL },
	{ "IDEMPOTENCY_MISMATCH", "this request id was used for another request",
	  "use a new --request-id" },
	{ "OUTCOME_UNKNOWN", "the connection was lost after the write was sent",
	  "repeat with the same --request-id to learn what came of it" },
	{ "LOGIN_FAILED", "e-mail or password is wrong, or the account is locked or not active",
	  "five failures lock an account for 15 minutes; isms user unlock ends that" },
	{ "INVITATION_INVALID", "the invitation is unknown, used or older than 72 hours", NULL },
	{ "PLAN_INCOMPLETE", "a plan that is submitted needs all fields of its option",
	  "isms treat edit PLAN sets them; isms treat create --help names them" },
	{ "COVER_GAP", "what treats the risk now would end before this begins",
	  "let it begin now, or submit it when the other has ended" },
	{ "PLAN_OPEN", "another plan of this option is open for the risk",
	  "isms treat list --risk RISK" },
	{ "ACCEPTANCE_EXISTS", "the risk has another open acceptance",
	  "isms accept list --risk RISK" },
	{ "RENEWAL_NEEDED", "more than one person has to decide on it again",
	  "isms accept renew ACCEPTANCE --until DATE" },
	{ "AVOID_IN_FORCE", "an approved plan says that the system is not deployed", NULL },
	{ "SCOPE_REQUEST_NEEDED", "a system that handles our information stays in scope", NULL },
	{ "EXPIRED", "the end that was asked for has passed",
	  "it is submitted again with a later end" },
	{ "TOKEN_INVALID", "the session has ended: 30 minutes unused, 12 hours old, or revoked",
	  "isms login" },
	{ "EMAIL_TAKEN", "another account has this e-mail", "isms user list" },
	{ "NAME_TAKEN", "another one in the same place has this name", NULL },
	{ "NOT_SERVICE", "only service accounts have tokens; people sign in", NULL },
	{ "NOT_FOUND", "it does not exist, or no role of yours lets you see it",
	  "isms whoami lists your roles" },
	{ "DELEGATION_NOT_FOUND", "nobody has let you vote for them here",
	  "isms delegation list --open; isms inbox names for whom you may vote" },
	{ "DELEGATION_ENDED", "the delegation is over", "isms delegation list" },
	{ "DELEGATION_REVOKED", "the delegation was ended", "isms delegation list" },
	{ "DELEGATION_NOT_STARTED", "the delegation begins later", "isms delegation list" },
	{ "DELEGATION_LATE", "a delegation covers only what is submitted after it was made",
	  "whoever was asked decides, or steps back" },
	{ "DELEGATION_LEVEL", "the level is above what was delegated", NULL },
	{ "DELEGATION_SCOPE", "it belongs to a scope that was not delegated", NULL },
	{ "DELEGATION_KIND", "this kind of subject was not delegated", NULL },
	{ "DELEGATION_STEP", "this step lets no delegate vote", "whoever was asked decides" },
	{ "DELEGATION_SELF", "rule S3: nobody votes for another account of their own", NULL },
	{ "SAME_PERSON", "nobody delegates to another account of their own", NULL },
	{ "CANNOT_READ", "a delegate must be able to see what is decided",
	  "an administrator grants a role that reads approvals there" },
	{ "TOO_MANY_DELEGATIONS", "32 delegations of yours are not over",
	  "isms delegation revoke DELEGATION --reason TEXT" },
	{ "DECISION_RATE", "decisions are made one by one: so many in an hour are not looked at",
	  "take the time to read; then go on" },
	{ "POLICY_UNUSABLE", "nobody could approve a change of policies under it", NULL },
	{ "TOO_MANY_APPROVERS", "a step would ask more people than a request can hold", NULL },
	{ "ACTIONS_OPEN", "each action is done or dropped first, and one of them done",
	  "isms treat action PLAN NO --state done" },
	{ "EVIDENCE_NEEDED", "what is said to be done needs something that shows it",
	  "give --evidence" },
	{ "SOD_VERIFIER", "whoever wrote a plan or did a part of it does not verify it",
	  "somebody else verifies it" },
	{ "SYSTEM_DEPLOYED", "the system that is avoided is deployed",
	  "isms system edit SYSTEM --stage retired" },
	{ "TRANSFER_LAPSED", "the transfer has ended, and the plan with it",
	  "isms treat create RISK --option transfer" },
	{ "NOT_IN_EFFECT", "what the plan is about begins later: nobody can say yet that it works",
	  "isms treat show PLAN -o json says when" },
	{ "CURSOR_AHEAD", "the cursor is ahead of the database, as after a restore",
	  "begin without a cursor and read the objects anew" },
	{ "TOO_MANY_WATCHES", "too many watches are open", "try again later" },
	{ "TOO_MANY_GRANTS", "what so many grants give cannot be looked up for each event",
	  "an administrator revokes what is not needed: isms role grants --user USER" },
	{ "ACCOUNT_INACTIVE", "only active accounts do anything", NULL },
	{ "LOCK_TIMEOUT", "others are changing the same objects", "try again" },
};

int fault_exit(int code, const char *reason)
{
	switch (code) {
	case ISMS_OK:
		return CLI_DONE;
	case ISMS_INVALID_ARGUMENT:
	case ISMS_OUT_OF_RANGE:
		return CLI_USAGE;
	case ISMS_NOT_FOUND:
		return CLI_NOT_FOUND;
	case ISMS_UNAUTHENTICATED:
		return CLI_SIGN_IN;
	case ISMS_PERMISSION_DENIED:
		return CLI_DENIED;
	case ISMS_ALREADY_EXISTS:
	case ISMS_FAILED_PRECONDITION:
	case ISMS_ABORTED:
		return CLI_CONFLICT;
	case ISMS_UNAVAILABLE:
	case ISMS_DEADLINE_EXCEEDED:
	case ISMS_RESOURCE_EXHAUSTED:
	case ISMS_CANCELLED:
		return CLI_UNREACHABLE;
	default:
		return reason && strcmp(reason, "OUTCOME_UNKNOWN") == 0 ? CLI_UNREACHABLE
									: CLI_INTERNAL;
	}
}

static const struct fault *find(const char *reason)
{
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		if (strcmp(faults[i].reason, reason) == 0)
			return &faults[i];
	return NULL;
}

const char *fault_why(const char *reason)
{
	const struct fault *fault = find(reason);
	return fault ? fault->why : NULL;
}

static void print_violations(const struct isms_reply *reply)
{
	for (size_t i = 0; i < isms_reply_violations(reply); i++)
		app_why("%s: %s", isms_reply_violation_field(reply, i),
			isms_reply_violation_text(reply, i));
}

static const char *label(struct app *app, const char *object, const char *id)
{
	return app->label ? app->label(app, object, id) : id;
}

static void print_facts(struct app *app, const struct isms_reply *reply)
{
	static const char by_id[] = "changed_by_id";
	for (size_t i = 0; i < isms_reply_facts(reply); i++) {
		const char *name = isms_reply_fact_key(reply, i);
		const char *value = isms_reply_fact_value(reply, i);
		char key[64];
		if (strcmp(name, by_id) == 0 && isms_reply_fact(reply, "changed_by"))
			continue;
		if (strcmp(name, by_id) == 0)
			name = "changed by", value = label(app, "user", value);
		if (strcmp(name, "scope") == 0)
			value = label(app, "scope", value);
		(void)snprintf(key, sizeof key, "%s", name);
		for (char *p = key; *p; p++)
			if (*p == '_')
				*p = ' ';
		app_why("%s: %s", key, value);
	}
}

static const char *next_of(struct app *app, int exit, const struct fault *fault)
{
	if (fault && fault->next)
		return fault->next;
	if (exit == CLI_SIGN_IN)
		return "isms login";
	if (exit == CLI_UNREACHABLE && app->writes > 0)
		return app_printf(app,
				  "repeat with --request-id %s, which has its effect only once",
				  app->request_id);
	return exit == CLI_UNREACHABLE ? "try again; it is safe" : NULL;
}

int fault_print(struct app *app, const struct isms_api_method *method,
		const struct isms_reply *reply)
{
	int code = (int)isms_reply_code(reply);
	const char *reason = isms_reply_reason(reply);
	const char *text = isms_reply_text(reply);
	int exit = fault_exit(code, reason);
	const struct fault *fault = find(reason);
	app_error(exit, "%s (%s)", *text ? text : isms_code_name((enum isms_code)code),
		  *reason ? reason : isms_code_name((enum isms_code)code));
	if (fault)
		app_why("%s", fault->why);
	print_violations(reply);
	print_facts(app, reply);
	if (isms_reply_retry_after_ms(reply) > 0)
		app_why("the server asks to wait %lld ms",
			(long long)isms_reply_retry_after_ms(reply));
	if (app->options.verbose || exit >= CLI_INTERNAL)
		app_why("call: %s %s%s", method->path, app->writes ? "request id " : "",
			app->writes ? app->request_id : "");
	const char *next = next_of(app, exit, fault);
	if (next)
		app_next("%s", next);
	return exit;
}
