/* What each category of asset may hold and how it is classified. */
#ifndef ISMS_DOMAIN_ASSET_CATEGORY_H
#define ISMS_DOMAIN_ASSET_CATEGORY_H

#include <stdbool.h>

#include "isms/v1/asset.pb-c.h"
#include "isms/v1/common.pb-c.h"

enum { ASSET_SUBTYPES_MAX = 6 };

struct asset_category {
	const char *subtypes[ASSET_SUBTYPES_MAX + 1]; /* NULL-ended */
	/* Taken when none is given; UNSPECIFIED: there is none. */
	Isms__V1__Classification standard;
	/* Below it a declassification request is needed. */
	Isms__V1__Classification floor;
	/* Classification and use case vary by use: both are always given. */
	bool by_use;
};

/* NULL for a number that is no category. */
const struct asset_category *asset_category_of(Isms__V1__AssetCategory category);
/* Whether a subtype is one of the category's; the empty one always is. */
bool asset_category_has(const struct asset_category *category, const char *subtype);

#endif
