/* A grant that does not count is as good as none: nothing of it is looked at. */
#include "server/domain/authority.h"

#include <string.h>

#include "common/pb.h"
#include "server/domain/states.h"

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

/* Whether a grant that may decide is what is asked for. */
static bool answers(const Isms__Store__V1__Candidate *grant, const char *role_code)
{
	if (role_code[0] == '\0')
		return grant->owner && strcmp(grant->role_code, AUTHORITY_OWNER_ROLE) == 0;
	return strcmp(grant->role_code, role_code) == 0;
}

enum authority authority_of(const struct authority_request *request,
			    const struct authority_grants *grants, const char *user_id,
			    const char *role_code)
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
		if (!answers(grant, role_code))
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

const char *authority_role(const Isms__V1__PolicyStep *step, bool escalated)
{
	if (escalated)
		return step->escalate_to_role;
	return step->selector == SELECTOR(RISK_OWNER) ? "" : step->role_code;
}
