/* Nobody scores anew when a cover ends, so that the old score counts as that of those
 * who made it. A score that somebody has changed meanwhile is left alone: it says what
 * they saw. */
#include "server/domain/plan_cover.h"

#include <assert.h>

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/material_change.h"
#include "server/domain/must.h"
#include "server/domain/score.h"
#include "server/domain/states.h"

void plan_cover_begin(const struct dossier *dossier, Isms__V1__TreatmentPlan *verified,
		      const Isms__Store__V1__RiskScore *last)
{
	struct arena *arena = dossier->plan->arena;
	const Isms__V1__LoweredScore *older = verified->lowered;
	Isms__V1__Score *current = dossier->was->current;
	if (verified->content->target->level > current->level) {
		verified->lowered = NULL;
		return;
	}
	Isms__V1__LoweredScore *lowered =
		must_new_of(arena, Isms__V1__LoweredScore, isms__v1__lowered_score);
	lowered->after = verified->content->target;
	verified->lowered = lowered;
	if (older != NULL && score_same(older->after, current)) {
		lowered->before = older->before;
		lowered->scored_by = older->scored_by;
		lowered->scored_by_persons = older->scored_by_persons;
		lowered->n_scored_by_persons = older->n_scored_by_persons;
		return;
	}
	assert(last != NULL);
	lowered->before = current;
	lowered->scored_by = last->scored_by;
	lowered->scored_by_persons = last->scored_by_persons;
	lowered->n_scored_by_persons = last->n_scored_by_persons;
}

void plan_cover_take_over(Isms__V1__TreatmentPlan *newer, const Isms__V1__TreatmentPlan *older)
{
	if (older->lowered != NULL)
		newer->lowered = older->lowered;
}

static void put_score(struct dossier *dossier, const Isms__V1__TreatmentPlan *ended)
{
	struct plan *plan = dossier->plan;
	const Isms__V1__LoweredScore *lowered = ended->lowered;
	Isms__Store__V1__RiskScore *row =
		must_new_of(plan->arena, Isms__Store__V1__RiskScore, isms__store__v1__risk_score);
	row->id = plan_new_id(plan);
	row->risk_id = dossier->was->meta->id;
	row->kind = (int32_t)SCORE(CURRENT);
	row->score = lowered->before;
	row->method_id = dossier->was->method_id;
	row->rationale =
		must(arena_printf(plan->arena, "the cover of %s has ended", ended->meta->ref));
	row->scored_by = lowered->scored_by;
	row->scored_by_persons = lowered->scored_by_persons;
	row->n_scored_by_persons = lowered->n_scored_by_persons;
	row->at = must(pb_time_new(plan->arena, plan->now_us));
	plan_put(plan, KIND_RISK_SCORE, &row->base);
}

bool plan_cover_end(struct dossier *dossier, const Isms__V1__TreatmentPlan *ended)
{
	const Isms__V1__LoweredScore *lowered = ended->lowered;
	Isms__V1__Score *covered = dossier_risk(dossier)->current;
	if (lowered == NULL || !score_same(lowered->after, covered) ||
	    score_same(lowered->before, covered))
		return false;
	dossier_change_risk(dossier)->current = lowered->before;
	put_score(dossier, ended);
	if (lowered->before->level > covered->level)
		material_change_rise(dossier, covered->level, lowered->before->level);
	return true;
}
