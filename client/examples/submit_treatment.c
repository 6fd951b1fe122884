/* Drafts a plan that mitigates a risk through one control, and submits it:
 *
 *     ISMS_TOKEN=... submit_treatment ADDRESS CA_FILE RISK_ID CONTROL_ID ASSIGNEE_ID
 *
 * Prints the plan's ref and the id of the approval request. Repeats after lost
 * connections are the library's matter: each call carries an idempotency key. */
#include <isms/api.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Says what went wrong; the program ends with 1. */
static int complain(const char *what, const struct isms_reply *reply)
{
	fprintf(stderr, "%s: %s %s: %s\n", what, isms_code_name(isms_reply_code(reply)),
		isms_reply_reason(reply), isms_reply_text(reply));
	for (size_t i = 0; i < isms_reply_violations(reply); i++) {
		fprintf(stderr, "  %s: %s\n", isms_reply_violation_field(reply, i),
			isms_reply_violation_text(reply, i));
	}
	return 1;
}

static int submit(struct isms_client *client, const Isms__V1__CreatePlanResponse *draft)
{
	Isms__V1__SubmitPlanRequest request = ISMS__V1__SUBMIT_PLAN_REQUEST__INIT;
	request.id = draft->plan->meta->id;
	struct isms_reply *reply = isms_treatment_submit_plan(client, &request, NULL);
	const Isms__V1__SubmitPlanResponse *sent = isms_treatment_submit_plan_reply(reply);
	int rc = sent != NULL ? 0 : complain("submit", reply);
	if (sent != NULL) {
		printf("%s %s\n", sent->plan->meta->ref, sent->request->meta->id);
	}
	isms_reply_free(reply);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: submit_treatment ADDRESS CA RISK CONTROL ASSIGNEE\n");
		return 2;
	}
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	options.address = argv[1];
	options.ca_file = argv[2];
	options.token = getenv("ISMS_TOKEN");
	struct isms_client *client = isms_client_new(&options);

	Google__Protobuf__Timestamp due = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	due.seconds = (int64_t)time(NULL) + 60 * 86400;
	Isms__V1__TreatmentAction action = ISMS__V1__TREATMENT_ACTION__INIT;
	action.control_id = argv[4];
	action.assignee_id = argv[5];
	action.description = "put the control in place";
	action.due_at = &due;
	Isms__V1__TreatmentAction *actions[] = { &action };
	Isms__V1__Score target = ISMS__V1__SCORE__INIT;
	target.likelihood = target.impact = 1;
	Isms__V1__PlanFields fields = ISMS__V1__PLAN_FIELDS__INIT;
	fields.rationale = "the control is known to work against this cause";
	fields.target = &target;
	fields.due_at = &due;
	fields.actions = actions;
	fields.n_actions = 1;
	Isms__V1__CreatePlanRequest request = ISMS__V1__CREATE_PLAN_REQUEST__INIT;
	request.risk_id = argv[3];
	request.option = ISMS__V1__TREATMENT_OPTION__TREATMENT_OPTION_MITIGATE;
	request.fields = &fields;

	struct isms_reply *reply =
		client != NULL ? isms_treatment_create_plan(client, &request, NULL) : NULL;
	const Isms__V1__CreatePlanResponse *draft = isms_treatment_create_plan_reply(reply);
	int rc = draft != NULL ? submit(client, draft) : complain("draft", reply);
	isms_reply_free(reply);
	isms_client_free(client);
	return rc;
}
