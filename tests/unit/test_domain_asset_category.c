/* The table is compared with a second statement of the rules, one line for each
 * category. */
#include "common/pb.h"
#include "server/domain/asset_category.h"
#include "tests/unit/tap.h"

static const struct {
	const char *name, *subtypes[7];
	int standard, floor; /* 0 none, 1 public … 4 restricted */
	bool by_use;
} want[] = {
	{ "TRAINING_DATA", { "DATASET", "LABELS", "ANNOTATIONS" }, 3, 3, false },
	{ "MODEL", { "WEIGHTS", "ARCHITECTURE", "HYPERPARAMETERS" }, 3, 3, false },
	{ "AI_INFRASTRUCTURE",
	  { "GPU_CLUSTER", "TRAINING_PIPELINE", "SERVING_ENDPOINT" },
	  2,
	  2,
	  false },
	{ "PROMPT_CONFIG", { "SYSTEM_PROMPT", "FINETUNE_CONFIG", "RAG_PIPELINE" }, 3, 3, false },
	{ "AI_OUTPUT", { "PREDICTION", "GENERATED_CONTENT", "DECISION" }, 0, 1, true },
	{ "EVALUATION_DATA", { "TEST_SET", "BENCHMARK", "RED_TEAM_RESULT" }, 3, 3, false },
	{ "PERSONNEL",
	  { "ENGINEER", "SCIENTIST", "ANNOTATOR", "RED_TEAMER", "OPERATOR", "OTHER" },
	  2,
	  2,
	  false },
	{ "GENERAL", { NULL }, 0, 1, false },
};
enum { CATEGORIES = sizeof(want) / sizeof(want[0]) };

TEST(categories_are_as_the_rules_say)
{
	CHECK_INT(isms__v1__asset_category__descriptor.n_values, CATEGORIES + 1);
	for (int i = 0; i < CATEGORIES; i++) {
		const struct asset_category *got =
			asset_category_of((Isms__V1__AssetCategory)(i + 1));
		CHECK_STR(pb_enum_short(&isms__v1__asset_category__descriptor, i + 1),
			  want[i].name);
		if (!CHECK(got != NULL))
			continue;
		CHECK_INT(got->standard, want[i].standard);
		CHECK_INT(got->floor, want[i].floor);
		CHECK_INT(got->by_use, want[i].by_use);
	}
	CHECK(asset_category_of((Isms__V1__AssetCategory)0) == NULL);
	CHECK(asset_category_of((Isms__V1__AssetCategory)(CATEGORIES + 1)) == NULL);
	CHECK(asset_category_of((Isms__V1__AssetCategory)-1) == NULL);
}

TEST(a_subtype_belongs_to_its_category_only)
{
	for (int i = 0; i < CATEGORIES; i++) {
		const struct asset_category *category =
			asset_category_of((Isms__V1__AssetCategory)(i + 1));
		CHECK(asset_category_has(category, ""));
		for (int j = 0; j < CATEGORIES; j++)
			for (size_t k = 0; want[j].subtypes[k] != NULL; k++)
				CHECK_INT(asset_category_has(category, want[j].subtypes[k]),
					  i == j);
		CHECK(!asset_category_has(category, "weights"));
		CHECK(!asset_category_has(category, "NONE"));
	}
}

TAP_MAIN
