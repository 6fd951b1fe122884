/* Whether an acceptance is in force is told by the times themselves; here it is
 * only written down that one has passed. */
#include "server/domain/acceptance_term.h"

#include "common/arena.h"
#include "common/pb.h"
#include "isms/store/v1/clock.pb-c.h"
#include "server/domain/dossier.h"
#include "server/domain/must.h"
#include "server/domain/refusal.h"
#include "server/domain/states.h"

static const int64_t day_us = INT64_C(24) * 60 * 60 * 1000000;
static const int32_t warnings[] = { 1, 7, 30 };
enum { REVIEW_WARNING_DAYS = 3 };

static bool is_over(const Isms__V1__Acceptance *acceptance, int64_t now_us)
{
	if (acceptance->state != ACCEPTANCE(ACTIVE))
		return false;
	return pb_time_us(acceptance->valid_until) <= now_us ||
	       (acceptance->review_due_at != NULL &&
		pb_time_us(acceptance->review_due_at) <= now_us);
}

int32_t acceptance_term_warned(const Google__Protobuf__Timestamp *until, int64_t now_us)
{
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
		if (pb_time_us(until) - now_us <= warnings[i] * day_us)
			return warnings[i];
	return 0;
}

struct status acceptance_warn(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__Acceptance *before =
		fact_row(facts, "acceptance_for_write", Isms__V1__Acceptance, isms__v1__acceptance);
	if (before == NULL || before->state != ACCEPTANCE(ACTIVE) || is_over(before, facts->now_us))
		return refusal_not_due();
	int32_t warned = acceptance_term_warned(before->valid_until, facts->now_us);
	if (warned == 0 || (before->warned_days != 0 && before->warned_days <= warned))
		return refusal_not_due();
	Isms__V1__Acceptance *after = plan_copy_of(plan, Isms__V1__Acceptance, before);
	after->state = state_acceptance_after(before->state, STATE_WARN);
	after->warned_days = warned;
	plan_update(plan, KIND_RISK_ACCEPTANCE, &before->base, &after->base);
	return STATUS_OK;
}

struct status acceptance_warn_review(const struct facts *facts, struct plan *plan)
{
	const Isms__V1__Acceptance *before =
		fact_row(facts, "acceptance_for_write", Isms__V1__Acceptance, isms__v1__acceptance);
	if (before == NULL || before->state != ACCEPTANCE(ACTIVE) ||
	    is_over(before, facts->now_us) || before->review_due_at == NULL ||
	    before->review_warned)
		return refusal_not_due();
	if (pb_time_us(before->review_due_at) - facts->now_us > REVIEW_WARNING_DAYS * day_us)
		return refusal_not_due();
	Isms__V1__Acceptance *after = plan_copy_of(plan, Isms__V1__Acceptance, before);
	after->state = state_acceptance_after(before->state, STATE_WARN);
	after->review_warned = true;
	plan_update(plan, KIND_RISK_ACCEPTANCE, &before->base, &after->base);
	return STATUS_OK;
}

struct status acceptance_expire(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__ClockTick *tick = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_acceptance", Isms__V1__Risk, isms__v1__risk);
	if (risk == NULL)
		return refusal_not_due();
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(dossier, plan, facts, risk, "acceptance");
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = dossier_find_acceptance(dossier, tick->id);
	if (place == NULL || !is_over(place->was, facts->now_us))
		return refusal_not_due();
	plan->subject_kind = KIND_RISK_ACCEPTANCE;
	plan->subject_id = tick->id;
	dossier_end_overdue(dossier, place);
	dossier_derive_state(dossier);
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
	return STATUS_OK;
}
