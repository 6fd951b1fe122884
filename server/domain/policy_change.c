/* Both rows are written together, each in the version that the request saw: of two
 * changes that replace the same policy one is stale. */
#include "server/domain/policy_change.h"

#include <string.h>

#include "server/domain/states.h"

bool policy_change_find(struct policy_change *out, const struct facts *facts, const char *set,
			const Isms__V1__ApprovalRequest *request)
{
	size_t n;
	const Isms__V1__ApprovalPolicy *const *rows =
		fact_rows(facts, set, Isms__V1__ApprovalPolicy, isms__v1__approval_policy, &n);
	*out = (struct policy_change){ 0 };
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i]->meta->id, request->subject_id) == 0)
			out->draft = rows[i];
	if (out->draft == NULL || out->draft->state != POLICY(SUBMITTED) ||
	    out->draft->meta->version != request->subject_version)
		return false;
	if (out->draft->replaces_id[0] == '\0')
		return true;
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i]->meta->id, out->draft->replaces_id) == 0)
			out->replaced = rows[i];
	return out->replaced != NULL && out->replaced->state == POLICY(ACTIVE) &&
	       out->replaced->meta->version == out->draft->replaces_version;
}

static enum state_action action_of(Isms__V1__ApprovalState end, bool repeals)
{
	switch (end) {
	case APPROVAL(APPROVED):
		return repeals ? STATE_REPEAL : STATE_APPROVE;
	case APPROVAL(REJECTED):
		return STATE_REJECT;
	case APPROVAL(CHANGES_REQUESTED):
		return STATE_REQUEST_CHANGES;
	case APPROVAL(WITHDRAWN):
		return STATE_WITHDRAW;
	default:
		return STATE_RETURN;
	}
}

static void retire(struct plan *plan, const Isms__V1__ApprovalPolicy *policy)
{
	Isms__V1__ApprovalPolicy *after = plan_copy_of(plan, Isms__V1__ApprovalPolicy, policy);
	after->state = state_policy_after(policy->state, STATE_SUPERSEDE);
	plan_update(plan, KIND_APPROVAL_POLICY, &policy->base, &after->base);
}

void policy_change_outcome(struct policy_change *change, struct plan *plan,
			   Isms__V1__ApprovalState end)
{
	const Isms__V1__ApprovalPolicy *draft = change->draft;
	if (draft == NULL || draft->state != POLICY(SUBMITTED))
		return;
	Isms__V1__ApprovalPolicy *after = plan_copy_of(plan, Isms__V1__ApprovalPolicy, draft);
	after->state = state_policy_after(draft->state, action_of(end, draft->repeals));
	if (end == APPROVAL(APPROVED) && change->replaced != NULL)
		retire(plan, change->replaced);
	plan_update(plan, KIND_APPROVAL_POLICY, &draft->base, &after->base);
	change->changed = after;
}
