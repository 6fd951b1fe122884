/* Scoring by the organisation's own criteria: the level is looked up in the
 * method's matrix, nothing is multiplied. */
#ifndef ISMS_DOMAIN_SCORE_H
#define ISMS_DOMAIN_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "isms/v1/catalog.pb-c.h"

struct arena;

enum { SCORE_SCALE_MIN = 3, SCORE_SCALE_MAX = 7 };

/* Whether the criteria are whole: scales of 3 to 7 steps, a matrix of their
 * product without gaps, one rule for each of the four levels. */
bool score_criteria_valid(const Isms__V1__RiskCriteria *criteria);

/* Level of a likelihood and impact, UNSPECIFIED when either is outside its
 * scale. */
Isms__V1__RiskLevel score_level(const Isms__V1__RiskCriteria *criteria, int32_t likelihood,
				int32_t impact);

/* A score with its level, in the arena; INVALID_ARGUMENT naming prefix +
 * "likelihood" or "impact" when outside the scale. */
STATUS_MUST_CHECK struct status score_make(Isms__V1__Score **out,
					   const Isms__V1__RiskCriteria *criteria,
					   int32_t likelihood, int32_t impact, const char *prefix,
					   struct arena *arena);

/* What holds for a level, or NULL. */
const Isms__V1__LevelRule *score_rule(const Isms__V1__RiskCriteria *criteria,
				      Isms__V1__RiskLevel level);

/* Level of a score; UNSPECIFIED for NULL. */
static inline Isms__V1__RiskLevel score_level_of(const Isms__V1__Score *score)
{
	return score == NULL ? ISMS__V1__RISK_LEVEL__RISK_LEVEL_UNSPECIFIED : score->level;
}

/* Whether two scores, neither NULL, are equal. */
bool score_same(const Isms__V1__Score *one, const Isms__V1__Score *other);

/* "HIGH". */
const char *score_level_name(Isms__V1__RiskLevel level);

#endif
