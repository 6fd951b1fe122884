/* Levels come from the matrix alone, over all of it. */
#include "server/domain/score.h"

#include "common/arena.h"
#include "common/pb.h"
#include "server/domain/must.h"
#include "server/domain/states.h"
#include "tests/unit/tap.h"

enum { SCALE = 5 };

/* Written down once more, as people read it: a row a likelihood. */
static const char *const grid[SCALE] = { "LLLMH", "LLMMH", "LMMHC", "MMHHC", "MHHCC" };

static Isms__V1__RiskLevel level_of(char letter)
{
	switch (letter) {
	case 'L':
		return LEVEL(LOW);
	case 'M':
		return LEVEL(MEDIUM);
	case 'H':
		return LEVEL(HIGH);
	default:
		return LEVEL(CRITICAL);
	}
}

static Isms__V1__RiskCriteria *criteria_new(struct arena *arena)
{
	Isms__V1__RiskCriteria *criteria =
		must_new_of(arena, Isms__V1__RiskCriteria, isms__v1__risk_criteria);
	criteria->n_likelihood = criteria->n_impact = SCALE;
	criteria->likelihood = must(arena_array(arena, Isms__V1__ScaleStep *, SCALE));
	criteria->impact = must(arena_array(arena, Isms__V1__ScaleStep *, SCALE));
	for (int i = 0; i < SCALE; i++)
		criteria->likelihood[i] = criteria->impact[i] =
			must_new_of(arena, Isms__V1__ScaleStep, isms__v1__scale_step);
	criteria->n_matrix = SCALE * SCALE;
	criteria->matrix = must(arena_array(arena, Isms__V1__RiskLevel, SCALE * SCALE));
	for (int l = 0; l < SCALE; l++)
		for (int i = 0; i < SCALE; i++)
			criteria->matrix[l * SCALE + i] = level_of(grid[l][i]);
	static const int32_t days[] = { 365, 180, 90, 30 };
	criteria->n_levels = 4;
	criteria->levels = must(arena_array(arena, Isms__V1__LevelRule *, 4));
	for (int i = 0; i < 4; i++) {
		criteria->levels[i] = must_new_of(arena, Isms__V1__LevelRule, isms__v1__level_rule);
		criteria->levels[i]->level = (Isms__V1__RiskLevel)(i + 1);
		criteria->levels[i]->max_accept_days = days[i];
	}
	return criteria;
}

TEST(every_cell_of_the_matrix_gives_its_level)
{
	struct arena *arena = arena_new(1 << 20);
	const Isms__V1__RiskCriteria *criteria = criteria_new(arena);
	CHECK(score_criteria_valid(criteria));
	for (int32_t l = -1; l <= 8; l++)
		for (int32_t i = -1; i <= 8; i++) {
			bool on = l >= 1 && l <= SCALE && i >= 1 && i <= SCALE;
			Isms__V1__RiskLevel want =
				on ? level_of(grid[l - 1][i - 1]) : LEVEL(UNSPECIFIED);
			CHECK_INT(score_level(criteria, l, i), want);
		}
	arena_free(arena);
}

TEST(a_value_off_the_scale_is_refused_by_name)
{
	struct arena *arena = arena_new(1 << 20);
	const Isms__V1__RiskCriteria *criteria = criteria_new(arena);
	Isms__V1__Score *score = NULL;
	struct status st = score_make(&score, criteria, 6, 1, "", arena);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.details->violations[0].field, "likelihood");
	st = score_make(&score, criteria, 1, 0, "fields.target.", arena);
	CHECK_STR(st.details->violations[0].field, "fields.target.impact");
	CHECK(score == NULL);
	st = score_make(&score, criteria, 5, 4, "", arena);
	CHECK(status_ok(&st));
	CHECK_INT(score->level, LEVEL(CRITICAL));
	arena_free(arena);
}

TEST(criteria_with_a_gap_are_not_valid)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__RiskCriteria *criteria = criteria_new(arena);
	criteria->matrix[7] = LEVEL(UNSPECIFIED);
	CHECK(!score_criteria_valid(criteria));
	criteria = criteria_new(arena);
	criteria->n_matrix--;
	CHECK(!score_criteria_valid(criteria));
	criteria = criteria_new(arena);
	criteria->n_levels = 3;
	CHECK(!score_criteria_valid(criteria));
	criteria = criteria_new(arena);
	criteria->levels[1]->max_accept_days = 0;
	CHECK(!score_criteria_valid(criteria));
	criteria = criteria_new(arena);
	criteria->n_likelihood = 2;
	CHECK(!score_criteria_valid(criteria));
	CHECK(!score_criteria_valid(NULL));
	arena_free(arena);
}

TEST(each_level_has_its_rule)
{
	struct arena *arena = arena_new(1 << 20);
	const Isms__V1__RiskCriteria *criteria = criteria_new(arena);
	CHECK_INT(score_rule(criteria, LEVEL(LOW))->max_accept_days, 365);
	CHECK_INT(score_rule(criteria, LEVEL(CRITICAL))->max_accept_days, 30);
	CHECK(score_rule(criteria, LEVEL(UNSPECIFIED)) == NULL);
	CHECK_STR(score_level_name(LEVEL(HIGH)), "HIGH");
	arena_free(arena);
}

TAP_MAIN
