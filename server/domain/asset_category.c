/* The table of categories; a category's place is its number. */
#include "server/domain/asset_category.h"

#include <stddef.h>
#include <string.h>

#define CATEGORY(name) ISMS__V1__ASSET_CATEGORY__ASSET_CATEGORY_##name
#define CLASS(name)    ISMS__V1__CLASSIFICATION__CLASSIFICATION_##name

static const struct asset_category categories[] = {
	[CATEGORY(TRAINING_DATA)] = {
		.subtypes = { "DATASET", "LABELS", "ANNOTATIONS" },
		.standard = CLASS(CONFIDENTIAL),
		.floor = CLASS(CONFIDENTIAL),
	},
	[CATEGORY(MODEL)] = {
		.subtypes = { "WEIGHTS", "ARCHITECTURE", "HYPERPARAMETERS" },
		.standard = CLASS(CONFIDENTIAL),
		.floor = CLASS(CONFIDENTIAL),
	},
	[CATEGORY(AI_INFRASTRUCTURE)] = {
		.subtypes = { "GPU_CLUSTER", "TRAINING_PIPELINE", "SERVING_ENDPOINT" },
		.standard = CLASS(INTERNAL),
		.floor = CLASS(INTERNAL),
	},
	[CATEGORY(PROMPT_CONFIG)] = {
		.subtypes = { "SYSTEM_PROMPT", "FINETUNE_CONFIG", "RAG_PIPELINE" },
		.standard = CLASS(CONFIDENTIAL),
		.floor = CLASS(CONFIDENTIAL),
	},
	[CATEGORY(AI_OUTPUT)] = {
		.subtypes = { "PREDICTION", "GENERATED_CONTENT", "DECISION" },
		.standard = CLASS(UNSPECIFIED),
		.floor = CLASS(PUBLIC),
		.by_use = true,
	},
	[CATEGORY(EVALUATION_DATA)] = {
		.subtypes = { "TEST_SET", "BENCHMARK", "RED_TEAM_RESULT" },
		.standard = CLASS(CONFIDENTIAL),
		.floor = CLASS(CONFIDENTIAL),
	},
	[CATEGORY(PERSONNEL)] = {
		.subtypes = { "ENGINEER", "SCIENTIST", "ANNOTATOR", "RED_TEAMER", "OPERATOR",
		              "OTHER" },
		.standard = CLASS(INTERNAL),
		.floor = CLASS(INTERNAL),
	},
	[CATEGORY(GENERAL)] = {
		.standard = CLASS(UNSPECIFIED),
		.floor = CLASS(PUBLIC),
	},
};

const struct asset_category *asset_category_of(Isms__V1__AssetCategory category)
{
	size_t n = sizeof(categories) / sizeof(categories[0]);
	if (category == CATEGORY(UNSPECIFIED) || (size_t)category >= n)
		return NULL;
	return &categories[category];
}

bool asset_category_has(const struct asset_category *category, const char *subtype)
{
	if (*subtype == '\0')
		return true;
	for (size_t i = 0; category->subtypes[i] != NULL; i++)
		if (strcmp(category->subtypes[i], subtype) == 0)
			return true;
	return false;
}
