/* The matrix is stored by likelihood, then impact, each counted from 1. */
#include "server/domain/score.h"

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/must.h"
#include "server/domain/states.h"

static bool scale_valid(size_t n)
{
	return n >= SCORE_SCALE_MIN && n <= SCORE_SCALE_MAX;
}

bool score_criteria_valid(const Isms__V1__RiskCriteria *criteria)
{
	if (criteria == NULL || !scale_valid(criteria->n_likelihood) ||
	    !scale_valid(criteria->n_impact) ||
	    criteria->n_matrix != criteria->n_likelihood * criteria->n_impact)
		return false;
	for (size_t i = 0; i < criteria->n_matrix; i++)
		if (criteria->matrix[i] < LEVEL(LOW) || criteria->matrix[i] > LEVEL(CRITICAL))
			return false;
	for (int level = LEVEL(LOW); level <= LEVEL(CRITICAL); level++) {
		const Isms__V1__LevelRule *rule = score_rule(criteria, (Isms__V1__RiskLevel)level);
		if (rule == NULL || rule->max_accept_days <= 0)
			return false;
	}
	return true;
}

static bool on_scale(int32_t value, size_t n)
{
	return value >= 1 && (size_t)value <= n;
}

Isms__V1__RiskLevel score_level(const Isms__V1__RiskCriteria *criteria, int32_t likelihood,
				int32_t impact)
{
	if (!on_scale(likelihood, criteria->n_likelihood) || !on_scale(impact, criteria->n_impact))
		return LEVEL(UNSPECIFIED);
	size_t at = ((size_t)likelihood - 1) * criteria->n_impact + (size_t)impact - 1;
	return at < criteria->n_matrix ? criteria->matrix[at] : LEVEL(UNSPECIFIED);
}

struct status score_make(Isms__V1__Score **out, const Isms__V1__RiskCriteria *criteria,
			 int32_t likelihood, int32_t impact, const char *prefix,
			 struct arena *arena)
{
	const char *wrong = NULL;
	if (!on_scale(likelihood, criteria->n_likelihood))
		wrong = "likelihood";
	else if (!on_scale(impact, criteria->n_impact))
		wrong = "impact";
	if (wrong != NULL)
		return status_invalid(arena, must(arena_printf(arena, "%s%s", prefix, wrong)),
				      "must be a step of the method's scale");
	Isms__V1__Score *score = must_new_of(arena, Isms__V1__Score, isms__v1__score);
	score->likelihood = likelihood;
	score->impact = impact;
	score->level = score_level(criteria, likelihood, impact);
	*out = score;
	return STATUS_OK;
}

const Isms__V1__LevelRule *score_rule(const Isms__V1__RiskCriteria *criteria,
				      Isms__V1__RiskLevel level)
{
	for (size_t i = 0; i < criteria->n_levels; i++)
		if (criteria->levels[i]->level == level)
			return criteria->levels[i];
	return NULL;
}

bool score_same(const Isms__V1__Score *one, const Isms__V1__Score *other)
{
	return one->likelihood == other->likelihood && one->impact == other->impact &&
	       one->level == other->level;
}

const char *score_level_name(Isms__V1__RiskLevel level)
{
	const char *name = pb_enum_short(&isms__v1__risk_level__descriptor, (int32_t)level);
	return name == NULL ? "UNSPECIFIED" : name;
}
