/* Whether an acceptance is in force is told by the times themselves; here it is
 * only written down that one has passed. */
#include "server/domain/acceptance_term.h"

#include "common/arena.h"
#include "common/pb.h"
#include "isms/store/v1/clock.pb-c.h"
#include "server/domain/clock.h"
#include "server/domain/dossier.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

/* Why it is over, or NULL. */
static const char *over(const Isms__V1__Acceptance *acceptance, int64_t now_us)
{
	if (acceptance->state == ACCEPTANCE(ACTIVE) &&
	    pb_time_us(acceptance->valid_until) <= now_us)
		return "the acceptance has run out";
	return NULL;
}

struct status acceptance_expire(const struct facts *facts, struct plan *plan)
{
	const Isms__Store__V1__ClockTick *tick = (const void *)facts->request;
	const Isms__V1__Risk *risk =
		fact_row(facts, "dossier_risk_of_acceptance", Isms__V1__Risk, isms__v1__risk);
	if (risk == NULL)
		return clock_not_due();
	struct dossier *dossier = must(arena_new_of(plan->arena, struct dossier));
	struct status st = dossier_load(dossier, plan, facts, risk, "acceptance");
	if (!status_ok(&st))
		return st;
	struct dossier_acceptance *place = dossier_find_acceptance(dossier, tick->id);
	const char *reason = place == NULL ? NULL : over(place->was, facts->now_us);
	if (reason == NULL)
		return clock_not_due();
	plan->subject_kind = KIND_RISK_ACCEPTANCE;
	plan->subject_id = tick->id;
	dossier_end_acceptance(dossier, place,
			       state_acceptance_after(place->was->state, STATE_EXPIRE), "", reason);
	Isms__V1__RiskState after = dossier_state(dossier);
	if (after != dossier->was->state)
		dossier_change_risk(dossier)->state = after;
	dossier_settle(dossier, DOSSIER_STATE_ONLY);
	return STATUS_OK;
}
