/* Who may not see a request is told what is told of one that does not exist: the loads
 * leave it out. */
#include "server/domain/insight.h"

#include "common/pb.h"
#include "isms/store/v1/insight.pb-c.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/snapshot_diff.h"

static const Isms__V1__DecisionSnapshot *opened(const ProtobufCBinaryData *bytes,
						struct arena *arena)
{
	return (const void *)pb_unpack(&isms__v1__decision_snapshot__descriptor, bytes->data,
				       bytes->len, arena);
}

struct status insight_changes(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__AskedDecision *asked =
		fact_row(facts, "changes_asked", Isms__Store__V1__AskedDecision,
			 isms__store__v1__asked_decision);
	const Isms__Store__V1__EarlierDecision *earlier =
		fact_row(facts, "changes_earlier", Isms__Store__V1__EarlierDecision,
			 isms__store__v1__earlier_decision);
	if (asked == NULL)
		return refusal_not_found();
	Isms__V1__ChangesSinceMyDecisionResponse *reply =
		must_new_of(plan->arena, Isms__V1__ChangesSinceMyDecisionResponse,
			    isms__v1__changes_since_my_decision_response);
	plan_reply(plan, &reply->base);
	if (earlier == NULL)
		return STATUS_OK;
	const Isms__V1__DecisionSnapshot *before = opened(&earlier->snapshot, plan->arena);
	const Isms__V1__DecisionSnapshot *after = opened(&asked->snapshot, plan->arena);
	struct snapshot_diff diff;
	if (before == NULL || after == NULL || !snapshot_diff(&diff, before, after, plan->arena))
		return status_make(STATUS_CODE_INTERNAL, "SNAPSHOT_UNREADABLE",
				   "a stored snapshot cannot be read");
	reply->earlier_request_id = earlier->request_id;
	reply->earlier_request_ref = earlier->request_ref;
	reply->earlier_decision = earlier->decision;
	reply->decided_at = earlier->at;
	reply->changes = diff.changes;
	reply->n_changes = diff.n;
	reply->cut = diff.cut;
	return STATUS_OK;
}
