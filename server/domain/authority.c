/* A grant that does not count is as good as none: nothing of it is looked at. */
#include "server/domain/authority.h"

#include <string.h>

#include "common/pb.h"
#include "server/domain/states.h"
#include "server/domain/text.h"

static bool is_involved(const struct authority_request *request, const char *person)
{
	if (strcmp(request->requester, person) == 0)
		return true;
	for (size_t i = 0; i < request->n_contributors; i++)
		if (strcmp(request->contributors[i], person) == 0)
			return true;
	return false;
}

bool authority_counts(const struct authority_request *request,
		      const Isms__Store__V1__Candidate *grant)
{
	int64_t granted_us = pb_time_us(grant->granted_at);
	if (granted_us > request->submitted_us)
		return false;
	if (granted_us <= request->submitted_us - AUTHORITY_FRESH_US)
		return true;
	for (size_t i = 0; i < grant->n_granted_by_persons; i++)
		if (is_involved(request, grant->granted_by_persons[i]))
			return false;
	return true;
}

/* Where people are named by what they own, or by name, their role says what they may. */
static bool decides_here(const Isms__Store__V1__Candidate *grant)
{
	return grant->owner || strcmp(grant->role_code, AUTHORITY_OWNER_ROLE) != 0;
}

bool authority_answers(const Isms__Store__V1__Candidate *grant, const Isms__V1__PolicyStep *step,
		       bool escalated)
{
	if (!grant->may_decide)
		return false;
	if (escalated)
		return strcmp(grant->role_code, step->escalate_to_role) == 0;
	switch (step->selector) {
	case SELECTOR(RISK_OWNER):
		return grant->owner && strcmp(grant->role_code, AUTHORITY_OWNER_ROLE) == 0;
	case SELECTOR(ROLE):
		return strcmp(grant->role_code, step->role_code) == 0;
	case SELECTOR(SCOPE_OWNER):
		return grant->scope_owner && decides_here(grant);
	case SELECTOR(ASSET_OWNER):
		return grant->asset_owner && decides_here(grant);
	case SELECTOR(USERS):
		return text_in(grant->user_id, step->user_ids, step->n_user_ids) &&
		       decides_here(grant);
	default:
		return false;
	}
}

enum authority authority_of(const struct authority_request *request,
			    const struct authority_grants *grants, const char *user_id,
			    const Isms__V1__PolicyStep *step, bool escalated)
{
	bool decides = false, asked = false;
	Isms__V1__RiskLevel any = LEVEL(UNSPECIFIED), answering = LEVEL(UNSPECIFIED);
	for (size_t i = 0; i < grants->n; i++) {
		const Isms__Store__V1__Candidate *grant = grants->rows[i];
		if (strcmp(grant->user_id, user_id) != 0 || !grant->may_decide ||
		    !authority_counts(request, grant))
			continue;
		decides = true;
		if (grant->max_accept_level > any)
			any = grant->max_accept_level;
		if (!authority_answers(grant, step, escalated))
			continue;
		asked = true;
		if (grant->max_accept_level > answering)
			answering = grant->max_accept_level;
	}
	if (!decides)
		return AUTHORITY_NONE;
	if ((asked ? answering : any) < request->level)
		return AUTHORITY_LEVEL;
	return asked ? AUTHORITY_HELD : AUTHORITY_ROLE;
}
