/* Decision bundles; see bundle.h. Nothing in the file is believed because it stands
 * there: the digest is computed from the snapshot's bytes, what is shown is read from
 * those bytes, and votes and audit events must agree with them and with each other.
 * That nobody has made up all of it together only a log proof can show. */
#include "client/cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "client/cli/args.h"
#include "client/cli/base64.h"
#include "client/cli/command.h"
#include "client/cli/decision.h"
#include "client/cli/json.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/pb.h"
#include "common/scan.h"
#include "isms/v1/audit.pb-c.h"

enum {
	BUNDLE_MAX = 32 << 20,
	LOGGED_MAX = 1024, /* bytes of a field in an audit event */
};

/* --- export --------------------------------------------------------------- */

static int write_file(struct app *app, const char *path, const ProtobufCMessage *message)
{
	json_t *json = json_from_message(app, message);
	if (strcmp(path, "-") == 0) {
		json_print(stdout, json);
		json_decref(json);
		return CLI_DONE;
	}
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (app->options.yes ? O_TRUNC : O_EXCL);
	int fd = open(path, flags, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file) {
		int error = errno;
		if (fd >= 0)
			(void)close(fd);
		json_decref(json);
		app_error(CLI_USAGE, "cannot write %s: %s", path, strerrordesc_np(error));
		if (error == EEXIST)
			app_next("give --yes to write over it");
		return CLI_USAGE;
	}
	json_print(file, json);
	json_decref(json);
	bool good = !ferror(file);
	good = fclose(file) == 0 && good;
	return good ? CLI_DONE : app_error(CLI_INTERNAL, "%s could not be written", path);
}

int bundle_export(struct app *app, const struct command *command, const struct args *args)
{
	const char *path = args_text(args, "--file");
	const ProtobufCMessage *reply;
	const char *id;
	int exit = decision_find(app, "approval", args_text(args, "ID"), &id);
	if (!exit)
		exit = rpc_get(app, command->method, id, &reply, RPC_SAY);
	if (!exit)
		exit = write_file(app, path, reply);
	if (exit || strcmp(path, "-") == 0)
		return exit;
	const Isms__V1__DecisionBundle *bundle = (const void *)reply;
	text_print(stdout,
		   app_printf(app, "%s with %zu votes and %zu audit events is in %s",
			      value_at(app, reply, "request.meta.ref", true), bundle->n_votes,
			      bundle->n_events, path),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
	if (app->tty_out)
		app_next("isms approval verify %s", path);
	return CLI_DONE;
}

/* --- verify --------------------------------------------------------------- */

struct check {
	struct app *app;
	const Isms__V1__DecisionBundle *bundle;
	const Isms__V1__ApprovalRequest *request;
	struct decision decision;
	const Isms__V1__EntityChange **logged; /* of each vote */
	json_t *list;
	size_t failed;
};

/* One finding. */
static void found(struct check *check, bool good, const char *what)
{
	check->failed += !good;
	if (check->list) {
		json_t *row = json_pack("{s:s, s:b}", "check", what, "ok", (int)good);
		if (!row || json_array_append_new(check->list, row) != 0)
			app_no_memory();
		return;
	}
	(void)fputs(good ? "ok      " : "FAILED  ", stdout);
	text_print(stdout, what, TEXT_LINE);
	(void)fputc('\n', stdout);
}

static bool same_bytes(const ProtobufCBinaryData *a, const uint8_t *b, size_t len)
{
	return a->len == len && memcmp(a->data, b, len) == 0;
}

static bool same_message(struct app *app, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	size_t n = 0, m = 0;
	if (!a || !b)
		return a == b;
	const uint8_t *x = pb_pack(&n, a, app->arena);
	const uint8_t *y = pb_pack(&m, b, app->arena);
	if (!x || !y)
		app_no_memory();
	return n == m && memcmp(x, y, n) == 0;
}

static bool in_list(char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static void check_request(struct check *check)
{
	const Isms__V1__DecisionSnapshot *snapshot = check->decision.snapshot;
	const Isms__V1__ApprovalRequest *request = check->request;
	const Isms__V1__ApprovalPolicy *policy = check->bundle->policy;
	bool people = snapshot->n_contributor_persons == request->n_contributor_persons &&
		      strcmp(snapshot->requested_by_person, request->requested_by_person) == 0;
	for (size_t i = 0; people && i < snapshot->n_contributor_persons; i++)
		people = in_list(request->contributor_persons, request->n_contributor_persons,
				 snapshot->contributor_persons[i]);
	found(check,
	      snapshot->subject_version == request->subject_version &&
		      snapshot->risk_version == request->risk_version &&
		      strcmp(snapshot->subject_ref, request->subject_ref) == 0,
	      "the request is about the versions in the snapshot");
	found(check, people, "requester and authors are those in the snapshot");
	found(check,
	      strcmp(snapshot->policy_id, request->policy_id) == 0 &&
		      snapshot->policy_no == request->policy_no && policy && policy->meta &&
		      strcmp(policy->meta->id, request->policy_id) == 0,
	      "the policy is the one in the snapshot");
	found(check,
	      snapshot->steps && same_message(check->app, &snapshot->steps->base,
					      request->steps ? &request->steps->base : NULL),
	      "the steps are those in the snapshot");
}

/* Whether the user was asked on the step. */
static bool was_asked(const Isms__V1__DecisionBundle *bundle, int step, const char *user)
{
	for (size_t i = 0; i < bundle->n_assignees; i++)
		if (bundle->assignees[i]->step_no == step &&
		    strcmp(bundle->assignees[i]->user_id, user) == 0)
			return true;
	return false;
}

static const Isms__V1__AuditEvent *read_event(struct app *app, const Isms__V1__BundleEvent *row)
{
	const ProtobufCMessageDescriptor *type = &isms__v1__audit_event__descriptor;
	struct status st = scan_message(type, row->event.data, row->event.len, &scan_limits_default,
					app->arena);
	return status_ok(&st)
		       ? (const void *)pb_unpack(type, row->event.data, row->event.len, app->arena)
		       : NULL;
}

static bool is_vote(const Isms__V1__AuditEvent *event)
{
	static const char tail[] = "/CastVote";
	size_t len = strlen(event->rpc);
	return len > sizeof tail - 1 && strcmp(event->rpc + len - (sizeof tail - 1), tail) == 0 &&
	       event->outcome == ISMS__V1__AUDIT_OUTCOME__AUDIT_OUTCOME_DONE;
}

/* What the log tells of each vote: the change of its audit event, NULL where there is none. */
static void find_logged(struct check *check)
{
	const Isms__V1__DecisionBundle *bundle = check->bundle;
	size_t votes = 0;
	check->logged =
		arena_alloc(check->app->arena, (bundle->n_votes + 1) * sizeof(*check->logged));
	if (!check->logged)
		app_no_memory();
	memset(check->logged, 0, (bundle->n_votes + 1) * sizeof(*check->logged));
	for (size_t i = 0; i < bundle->n_events && votes < bundle->n_votes; i++) {
		const Isms__V1__AuditEvent *event = read_event(check->app, bundle->events[i]);
		if (!event || !is_vote(event))
			continue;
		for (size_t k = 0; k < event->n_changes; k++)
			if (strcmp(event->changes[k]->entity_kind, "approval_vote") == 0)
				check->logged[votes] = event->changes[k];
		votes++;
	}
}

static const char *after_of(const Isms__V1__EntityChange *change, const char *field)
{
	for (size_t i = 0; change && i < change->n_fields; i++)
		if (strcmp(change->fields[i]->field, field) == 0)
			return change->fields[i]->after;
	return "";
}

/* Long texts are cut in the log, before a character that would not fit whole. */
static bool tells(const char *logged, const char *held)
{
	size_t len = strlen(logged);
	if (len > LOGGED_MAX - 4 && strcmp(logged + len - 3, "...") == 0)
		return strncmp(logged, held, len - 3) == 0;
	return strcmp(logged, held) == 0;
}

static bool is_as_logged(const struct check *check, size_t at)
{
	static const char *const names[] = { "step_no",      "voter_id", "voter_person", "decision",
					     "on_behalf_of", "comment",  "delegation_id" };
	const Isms__V1__ApprovalVote *vote = check->bundle->votes[at];
	bool same = check->logged[at] != NULL;
	for (size_t i = 0; same && i < sizeof(names) / sizeof(names[0]); i++)
		same = tells(after_of(check->logged[at], names[i]),
			     value_at(check->app, &vote->base, names[i], true));
	return same;
}

/* Of a vote for somebody else: the delegation by which it was cast is there. */
static bool is_delegated(const struct check *check, const Isms__V1__ApprovalVote *vote)
{
	const Isms__V1__DecisionBundle *bundle = check->bundle;
	for (size_t i = 0; i < bundle->n_delegations; i++) {
		const Isms__V1__Delegation *row = bundle->delegations[i];
		if (row->meta && strcmp(row->meta->id, vote->delegation_id) == 0)
			return strcmp(row->from_user_id, vote->on_behalf_of) == 0 &&
			       strcmp(row->to_user_id, vote->voter_id) == 0;
	}
	return false;
}

/* Whether a person voted, or was voted for, in two votes of one step. */
static bool share_person(const struct check *check, size_t one, size_t other)
{
	const char *persons[2][2];
	for (size_t i = 0; i < 2; i++) {
		size_t at = i == 0 ? one : other;
		persons[i][0] = check->bundle->votes[at]->voter_person;
		persons[i][1] = after_of(check->logged[at], "on_behalf_person");
	}
	for (size_t i = 0; i < 4; i++) {
		const char *person = persons[0][i / 2];
		if (*person && strcmp(person, persons[1][i % 2]) == 0)
			return true;
	}
	return false;
}

static void check_vote(struct check *check, size_t at)
{
	const Isms__V1__DecisionBundle *bundle = check->bundle;
	const Isms__V1__DecisionSnapshot *snapshot = check->decision.snapshot;
	const Isms__V1__ApprovalVote *vote = bundle->votes[at];
	const char *name = app_printf(check->app, "vote %zu, %s by %s on step %d", at + 1,
				      value_at(check->app, &vote->base, "decision", true),
				      vote->voter_name, vote->step_no);
	found(check, same_bytes(&vote->snapshot_sha256, check->decision.digest, DECISION_DIGEST),
	      app_printf(check->app, "%s: is on the snapshot", name));
	found(check,
	      was_asked(bundle, vote->step_no,
			*vote->on_behalf_of ? vote->on_behalf_of : vote->voter_id),
	      app_printf(check->app, "%s: %s was asked", name,
			 *vote->on_behalf_of ? vote->on_behalf_of_name : "the voter"));
	found(check,
	      strcmp(vote->voter_person, snapshot->requested_by_person) != 0 &&
		      !in_list(snapshot->contributor_persons, snapshot->n_contributor_persons,
			       vote->voter_person),
	      app_printf(check->app, "%s: the voter neither asked nor wrote", name));
	bool once = true;
	for (size_t i = 0; i < at; i++)
		once = once &&
		       (bundle->votes[i]->step_no != vote->step_no || !share_person(check, i, at));
	found(check, once, app_printf(check->app, "%s: one person, one vote", name));
	if (*vote->on_behalf_of)
		found(check, is_delegated(check, vote),
		      app_printf(check->app, "%s: by a delegation to the voter", name));
	found(check, is_as_logged(check, at),
	      app_printf(check->app, "%s: is as its audit event tells", name));
}

/* Votes of a step that count. */
static size_t count_votes(const Isms__V1__DecisionBundle *bundle, int step, int decision)
{
	size_t n = 0;
	for (size_t i = 0; i < bundle->n_votes; i++) {
		const Isms__V1__ApprovalVote *vote = bundle->votes[i];
		n += (step == 0 || vote->step_no == step) && (int)vote->decision == decision &&
		     !vote->void_;
	}
	return n;
}

/* Those who must approve on a step where all have to. */
static size_t count_asked(const Isms__V1__DecisionBundle *bundle, int step)
{
	size_t n = 0;
	for (size_t i = 0; i < bundle->n_assignees; i++) {
		const Isms__V1__ApprovalAssignee *row = bundle->assignees[i];
		n += row->step_no == step && !row->escalated &&
		     row->state != ISMS__V1__ASSIGNEE_STATE__ASSIGNEE_STATE_RECUSED;
	}
	return n;
}

static void check_approved_step(struct check *check, const Isms__V1__PolicyStep *step)
{
	size_t wanted = 1;
	if (step->mode == ISMS__V1__STEP_MODE__STEP_MODE_QUORUM)
		wanted = step->quorum > 0 ? (size_t)step->quorum : 1;
	if (step->mode == ISMS__V1__STEP_MODE__STEP_MODE_ALL)
		wanted = count_asked(check->bundle, step->step_no);
	size_t given =
		count_votes(check->bundle, step->step_no, ISMS__V1__DECISION__DECISION_APPROVE);
	found(check, given >= wanted && given > 0,
	      app_printf(check->app, "step %d has %zu approvals that count, of %zu needed",
			 step->step_no, given, wanted));
}

/* The votes lead to the state. */
static void check_state(struct check *check)
{
	const Isms__V1__PolicySteps *steps = check->decision.snapshot->steps;
	switch ((int)check->request->state) {
	case ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_APPROVED:
		for (size_t i = 0; steps && i < steps->n_steps; i++)
			check_approved_step(check, steps->steps[i]);
		break;
	case ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_REJECTED:
		found(check, count_votes(check->bundle, 0, ISMS__V1__DECISION__DECISION_REJECT) > 0,
		      "somebody rejected it");
		break;
	case ISMS__V1__APPROVAL_STATE__APPROVAL_STATE_CHANGES_REQUESTED:
		found(check,
		      count_votes(check->bundle, 0, ISMS__V1__DECISION__DECISION_REQUEST_CHANGES) >
			      0,
		      "somebody asked for changes");
		break;
	default:
		break;
	}
}

/* Version of the request after an event, 0 when it did not change it; *state: the text
 * of the state that it changed to, when it did. */
static int64_t version_after(const struct check *check, const Isms__V1__AuditEvent *event,
			     const char **state)
{
	int64_t version = 0;
	for (size_t i = 0; i < event->n_changes; i++) {
		const Isms__V1__EntityChange *change = event->changes[i];
		if (strcmp(change->entity_id, check->request->meta->id) != 0)
			continue;
		version = change->entity_version;
		for (size_t k = 0; k < change->n_fields; k++)
			if (strcmp(change->fields[k]->field, "state") == 0)
				*state = change->fields[k]->after;
	}
	return version;
}

static void check_events(struct check *check)
{
	const Isms__V1__DecisionBundle *bundle = check->bundle;
	const char *state = "";
	int64_t version = 0;
	size_t votes = 0;
	bool readable = true, ordered = true, voters = true;
	for (size_t i = 0; i < bundle->n_events; i++) {
		const Isms__V1__AuditEvent *event = read_event(check->app, bundle->events[i]);
		if (!event || strcmp(event->id, bundle->events[i]->id) != 0) {
			readable = false;
			continue;
		}
		int64_t after = version_after(check, event, &state);
		ordered = ordered && (after == 0 || after > version);
		version = after > version ? after : version;
		if (!is_vote(event))
			continue;
		voters = voters && votes < bundle->n_votes &&
			 strcmp(bundle->votes[votes]->voter_id, event->actor_id) == 0;
		votes++;
	}
	found(check, readable && bundle->n_events > 0, "the audit events can be read");
	found(check, ordered && version == check->request->meta->version,
	      "the audit events lead to this version of the request");
	found(check, strcmp(state, value_at(check->app, &check->request->base, "state", true)) == 0,
	      "the last change of state in them is that of the request");
	found(check, voters && votes == bundle->n_votes, "each vote has its audit event");
}

static void check_all(struct check *check)
{
	if (!check->request || !check->request->meta) {
		found(check, false, "there is a request");
		return;
	}
	const char *why = decision_check(check->app, check->request, &check->bundle->snapshot,
					 &check->decision);
	found(check, why == NULL,
	      why ? why : "the snapshot has the digest of the request and is about its subject");
	if (why)
		return;
	check_request(check);
	find_logged(check);
	for (size_t i = 0; i < check->bundle->n_votes; i++)
		check_vote(check, i);
	check_state(check);
	check_events(check);
}

static void print_verdict(const struct check *check)
{
	struct app *app = check->app;
	const struct decision *decision = &check->decision;
	if (check->failed > 0 || !decision->snapshot) {
		(void)printf("%zu checks failed: do not rely on this file\n", check->failed);
		return;
	}
	text_print(stdout,
		   app_printf(app, "%s %s: %s v%lld, digest %s", check->request->meta->ref,
			      value_at(app, &check->request->base, "state", true),
			      decision->snapshot->subject_ref,
			      (long long)decision->snapshot->subject_version,
			      hex_encode(app, decision->digest, DECISION_DIGEST)),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
}

int bundle_verify(struct app *app, const struct command *command, const struct args *args)
{
	char *data;
	size_t len;
	(void)command;
	int exit = app_read(app, &data, &len, args_text(args, "FILE"), BUNDLE_MAX);
	if (exit)
		return exit;
	ProtobufCMessage *bundle = pb_new(&isms__v1__decision_bundle__descriptor, app->arena);
	if (!bundle)
		app_no_memory();
	exit = json_parse(app, bundle, data, len);
	if (exit)
		return exit;
	struct check check = { .app = app, .bundle = (const void *)bundle };
	check.request = check.bundle->request;
	if (app->format == FORMAT_JSON && !(check.list = json_array()))
		app_no_memory();
	check_all(&check);
	if (check.list) {
		json_t *out = json_pack("{s:b, s:o}", "ok", (int)(check.failed == 0), "checks",
					check.list);
		if (!out)
			app_no_memory();
		json_print(stdout, out);
		json_decref(out);
	} else {
		print_verdict(&check);
	}
	return check.failed ? CLI_NO : CLI_DONE;
}
