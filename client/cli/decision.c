/* An approval request as it was read; see decision.h. */
#include "client/cli/decision.h"

#include <string.h>

#include "client/cli/app.h"
#include "client/cli/base64.h"
#include "client/cli/field.h"
#include "client/cli/output.h"
#include "client/cli/resolve.h"
#include "client/cli/rpc.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/digest.h"
#include "common/pb.h"
#include "common/scan.h"
#include "common/uuid.h"

/* What is decided on. */
struct subject {
	const char *object;
	const char *noun; /* of its commands */
	const char *get;
	const char *path; /* of its last request, in the reply */
};
static const struct subject subjects[] = {
	{ "plan", "treat", "TreatmentService/GetPlan", "plan.approval_request_id" },
	{ "acceptance", "accept", "AcceptanceService/GetAcceptance",
	  "acceptance.approval_request_id" },
	{ "policy", "policy", "PolicyService/GetPolicy", "policy.approval_request_id" },
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

/* Id of the last request of a subject. *out is NULL when the id is no subject's. */
static int of_subject(struct app *app, const struct subject *subject, const char *name,
		      const char **out)
{
	const ProtobufCMessage *reply;
	const char *id;
	uint8_t bytes[UUID_BYTES];
	int exit = resolve_id(app, subject->object, name, &id);
	if (exit)
		return exit;
	bool is_id = uuid_parse(name, bytes);
	exit = rpc_get(app, subject->get, id, &reply, is_id ? RPC_QUIET : RPC_SAY);
	*out = NULL;
	if (exit == CLI_NOT_FOUND && is_id)
		return CLI_DONE;
	if (exit)
		return exit;
	*out = value_at(app, reply, subject->path, true);
	if (**out)
		return CLI_DONE;
	app_error(CLI_CONFLICT, "%s has not been submitted, so there is nothing to decide", name);
	app_next("isms %s submit %s", subject->noun, name);
	return CLI_CONFLICT;
}

int decision_find(struct app *app, const char *object, const char *name, const char **out)
{
	uint8_t bytes[UUID_BYTES];
	const char *id = NULL;
	int exit = CLI_DONE;
	if (resolve_is_ref("approval", name))
		return resolve_id(app, "approval", name, out);
	bool any = strcmp(object, "approval") == 0;
	bool is_id = uuid_parse(name, bytes);
	if (any && is_id) {
		*out = name;
		return CLI_DONE;
	}
	for (size_t i = 0; i < SUBJECTS; i++)
		if (any ? resolve_is_ref(subjects[i].object, name)
			: strcmp(subjects[i].object, object) == 0) {
			exit = of_subject(app, &subjects[i], name, &id);
			*out = id ? id : name;
			return exit;
		}
	app_error(CLI_USAGE, "%s is no ref or id of an approval request", name);
	app_next("isms approval list");
	return CLI_USAGE;
}

static void digest_of(const ProtobufCBinaryData *bytes, uint8_t out[DECISION_DIGEST])
{
	static const char domain[] = "isms/decision/v1"; /* its NUL is hashed too */
	const struct digest_piece pieces[] = { { domain, sizeof domain },
					       { bytes->data, bytes->len } };
	if (!digest_sha256(out, pieces, 2))
		app_no_memory();
}

static const ProtobufCMessage *unpack(struct app *app, const ProtobufCMessageDescriptor *type,
				      const ProtobufCBinaryData *bytes)
{
	struct status st =
		scan_message(type, bytes->data, bytes->len, &scan_limits_default, app->arena);
	return status_ok(&st) ? pb_unpack(type, bytes->data, bytes->len, app->arena) : NULL;
}

static const ProtobufCMessageDescriptor *subject_type(Isms__V1__SubjectKind kind)
{
	switch ((int)kind) {
	case ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_TREATMENT_PLAN:
		return &isms__v1__treatment_plan__descriptor;
	case ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_POLICY_CHANGE:
		return &isms__v1__approval_policy__descriptor;
	default:
		return &isms__v1__acceptance__descriptor;
	}
}

/* Only what is inside the hashed bytes is trusted and shown. */
const char *decision_check(struct app *app, const Isms__V1__ApprovalRequest *request,
			   const ProtobufCBinaryData *bytes, struct decision *out)
{
	const ProtobufCBinaryData *theirs = &request->snapshot_sha256;
	digest_of(bytes, out->digest);
	if (theirs->len != DECISION_DIGEST ||
	    memcmp(theirs->data, out->digest, DECISION_DIGEST) != 0)
		return app_printf(app, "digest of the snapshot is %s, the request's is %s",
				  hex_encode(app, out->digest, DECISION_DIGEST),
				  hex_encode(app, theirs->data, theirs->len));
	const Isms__V1__DecisionSnapshot *snapshot =
		(const void *)unpack(app, &isms__v1__decision_snapshot__descriptor, bytes);
	if (!snapshot)
		return "the snapshot cannot be read";
	bool risk = snapshot->subject_kind != ISMS__V1__SUBJECT_KIND__SUBJECT_KIND_POLICY_CHANGE;
	out->snapshot = snapshot;
	out->subject = unpack(app, subject_type(snapshot->subject_kind), &snapshot->subject);
	if (risk)
		out->risk = (const void *)unpack(app, &isms__v1__risk__descriptor, &snapshot->risk);
	if (!out->subject || (risk && !out->risk))
		return "the subject or the risk in the snapshot cannot be read";
	if (strcmp(snapshot->subject_id, request->subject_id) != 0 ||
	    snapshot->subject_kind != request->subject_kind ||
	    strcmp(snapshot->risk_id, request->risk_id) != 0 || snapshot->level != request->level)
		return "the snapshot is about another subject, risk or level";
	return NULL;
}

static int broken(const struct decision *decision, const char *why)
{
	app_error(CLI_INTERNAL, "what the server shows is not what it asks to be decided");
	app_why("%s", why);
	app_why("request %s", decision->request->meta->id);
	app_next("do not decide; tell whoever runs the server");
	return CLI_INTERNAL;
}

int decision_read(struct app *app, const char *id, Google__Protobuf__Timestamp *as_of,
		  enum rpc_quiet quiet, struct decision *out)
{
	static const char method[] = "ApprovalService/GetApprovalRequest";
	Isms__V1__GetApprovalRequestRequest *request = (void *)rpc_request(app, method);
	const ProtobufCMessage *reply;
	request->id = app_strdup(app, id);
	request->as_of = as_of;
	int exit = rpc_call_name(app, method, &request->base, &reply, quiet);
	if (exit)
		return exit;
	*out = (struct decision){ .reply = (const void *)reply };
	out->request = out->reply->request;
	if (!out->request || !out->request->meta)
		return app_error(CLI_INTERNAL, "the server's reply is empty");
	const char *why = decision_check(app, out->request, &out->reply->snapshot, out);
	return why ? broken(out, why) : CLI_DONE;
}

const char *decision_waiting(struct app *app, const Isms__V1__GetApprovalRequestResponse *reply)
{
	const char *out = "";
	for (size_t i = 0; i < reply->n_assignees; i++) {
		const Isms__V1__ApprovalAssignee *row = reply->assignees[i];
		if (row->step_no != reply->request->current_step ||
		    row->state != ISMS__V1__ASSIGNEE_STATE__ASSIGNEE_STATE_PENDING)
			continue;
		out = app_printf(app, "%s%s%s (%s)", out, *out ? ", " : "", row->display_name,
				 row->via);
	}
	return out;
}

static void line(const char *label, const char *text)
{
	(void)printf("  %-14s", label);
	text_print_lines(stdout, text, 16);
}

static void print_risk(struct app *app, const struct decision *decision)
{
	if (!decision->risk)
		return;
	const ProtobufCMessage *risk = &decision->risk->base;
	(void)printf("Risk ");
	text_print(stdout,
		   app_printf(app, "%s v%lld: %s", decision->snapshot->risk_ref,
			      (long long)decision->snapshot->risk_version, decision->risk->title),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
	static const char *const fields[] = { "cause",     "event",      "consequence",
					      "owner_id",  "inherent",   "current",
					      "asset_ids", "threat_ids", "vulnerability_ids" };
	static const char *const labels[] = { "cause",  "event",    "consequence",
					      "owner",  "inherent", "current",
					      "assets", "threats",  "weaknesses" };
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		line(labels[i], value_at(app, risk, fields[i], false));
}

static void print_policy(struct app *app, const ProtobufCMessage *policy)
{
	const Isms__V1__ApprovalPolicy *change = (const void *)policy;
	static const char *const fields[] = { "title",     "subject_kind",     "scope_id",
					      "min_level", "max_level",        "priority",
					      "steps",     "steps.review_days" };
	static const char *const labels[] = { "title",    "for",      "scope", "from level",
					      "to level", "priority", "steps", "review days" };
	(void)printf("Asked: %s\n",
		     change->repeals ? "that a policy ends" : "that a policy comes into force");
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		line(labels[i], value_at(app, policy, fields[i], false));
	if (*change->replaces_id)
		line(change->repeals ? "ends" : "replaces",
		     value_at(app, policy, "replaces_id", false));
}

static void print_subject(struct app *app, const struct decision *decision)
{
	const ProtobufCMessage *shown = decision->subject;
	if (shown->descriptor == &isms__v1__approval_policy__descriptor) {
		print_policy(app, shown);
		return;
	}
	(void)printf("Asked: %s\n", value_level((int)decision->snapshot->level));
	if (decision->subject->descriptor == &isms__v1__treatment_plan__descriptor) {
		const Isms__V1__TreatmentPlan *plan = (const void *)decision->subject;
		line("option", value_at(app, shown, "option", true));
		shown = plan->content ? &plan->content->base : NULL;
		if (shown)
			output_object(app, shown, 2);
		return;
	}
	static const char *const fields[] = { "valid_until", "rationale", "business_reason",
					      "conditions", "compensating_control_ids" };
	static const char *const labels[] = { "accept until", "rationale", "reason", "conditions",
					      "controls" };
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		line(labels[i], value_at(app, shown, fields[i], false));
}

static void print_votes(struct app *app, const struct decision *decision)
{
	for (size_t i = 0; i < decision->reply->n_votes; i++) {
		const Isms__V1__ApprovalVote *vote = decision->reply->votes[i];
		line(i ? "" : "votes",
		     app_printf(app, "step %d: %s%s%s%s %s, %s%s%s", vote->step_no,
				vote->voter_name, *vote->on_behalf_of_name ? " for " : "",
				vote->on_behalf_of_name, vote->void_ ? " (does not count)" : "",
				value_at(app, &vote->base, "decision", true),
				value_at(app, &vote->base, "at", false), *vote->comment ? ": " : "",
				vote->comment));
	}
}

void decision_print(struct app *app, const struct decision *decision)
{
	const Isms__V1__ApprovalRequest *request = decision->request;
	const char *waiting = decision_waiting(app, decision->reply);
	const char *steps = decision->snapshot->steps
				    ? value_at(app, &decision->snapshot->base, "steps", false)
				    : "-";
	(void)fputs("Request ", stdout);
	text_print(stdout,
		   app_printf(app, "%s %s about %s v%lld", request->meta ? request->meta->ref : "?",
			      value_at(app, &request->base, "state", true),
			      decision->snapshot->subject_ref,
			      (long long)decision->snapshot->subject_version),
		   TEXT_LINE);
	(void)fputc('\n', stdout);
	print_risk(app, decision);
	print_subject(app, decision);
	line("asked by", value_at(app, &decision->snapshot->base, "requested_by_person", false));
	line("written by", value_at(app, &decision->snapshot->base, "contributor_persons", false));
	line("policy", app_printf(app, "no. %d: %s", decision->snapshot->policy_no, steps));
	print_votes(app, decision);
	if (*waiting)
		line("waits for", app_printf(app, "step %d: %s", request->current_step, waiting));
	if (request->step_due_at)
		line("until", value_at(app, &request->base, "step_due_at", false));
	if (request->escalates_at)
		line("then asked",
		     app_printf(app, "%s from %s",
				value_at(app, &request->base, "escalates_to", false),
				value_at(app, &request->base, "escalates_at", false)));
	if (request->close_reason && *request->close_reason)
		line("closed", request->close_reason);
	line("digest", hex_encode(app, decision->digest, DECISION_DIGEST));
}
