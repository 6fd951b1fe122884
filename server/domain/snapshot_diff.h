/* What differs between two things that were asked to be decided, field by field, as a
 * person would compare them: names such as "subject.valid_until", "risk.current.level",
 * "method.criteria.matrix", "steps.steps". What only tells one request from another is
 * left out. */
#ifndef ISMS_DOMAIN_SNAPSHOT_DIFF_H
#define ISMS_DOMAIN_SNAPSHOT_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "isms/v1/approval.pb-c.h"
#include "isms/v1/audit.pb-c.h"

struct arena;

enum { SNAPSHOT_CHANGES_MAX = 200 };

struct snapshot_diff {
	Isms__V1__FieldChange **changes;
	size_t n;
	bool cut; /* there are more than SNAPSHOT_CHANGES_MAX */
};

/* false: what is in one of them cannot be read. */
bool snapshot_diff(struct snapshot_diff *out, const Isms__V1__DecisionSnapshot *before,
		   const Isms__V1__DecisionSnapshot *after, struct arena *arena);

#endif
