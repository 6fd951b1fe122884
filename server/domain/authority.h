/* Who may decide what, from the grants in force at a scope: pure, on the rows of
 * candidates, one for each grant. Submitting, each vote, escalation and resolution
 * ask it, so that what is true of a right is said once.
 *
 *   S6  a grant that was given since the request was submitted does not count for
 *       that request, whoever gave it; nor does one that the person who asked, or a
 *       contributor, gave less than a day before. Others' grants do, however fresh.
 *       Hence who loses a right while a request is open has lost it for that request,
 *       though it be given back.
 *
 * Authority is a grant that may decide and answers the step, up to the level of that very
 * grant: the role that the step names; where it asks the owner of the risk, the role
 * RISK_OWNER of who owns it; where it asks other owners or names accounts, any role of
 * those, but RISK_OWNER for the risk that they own alone. What other grants allow adds
 * nothing. */
#ifndef ISMS_DOMAIN_AUTHORITY_H
#define ISMS_DOMAIN_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/approval.pb-c.h"

#define AUTHORITY_FRESH_US   (INT64_C(24) * 3600 * 1000000)
#define AUTHORITY_OWNER_ROLE "RISK_OWNER"

/* What a request says about grants. */
struct authority_request {
	const char *requester; /* person */
	const char *const *contributors;
	size_t n_contributors; /* persons */
	int64_t submitted_us;  /* or now, when it is being submitted */
	Isms__V1__RiskLevel level;
};

/* Grants in force of accounts that are active, at the scope of the request. */
struct authority_grants {
	const Isms__Store__V1__Candidate *const *rows;
	size_t n;
};

enum authority {
	AUTHORITY_HELD = 0,
	AUTHORITY_NONE,  /* no grant that counts may decide */
	AUTHORITY_LEVEL, /* not up to the level: what the step asks for, or else any */
	AUTHORITY_ROLE,  /* not what the step asks for */
};

/* S6. */
bool authority_counts(const struct authority_request *request,
		      const Isms__Store__V1__Candidate *grant);

/* Whether a grant is one that a step asks for; escalated: of the role that it escalates
 * to. */
bool authority_answers(const Isms__Store__V1__Candidate *grant, const Isms__V1__PolicyStep *step,
		       bool escalated);

/* Whether an account may decide on a step of a request, or on one that has escalated. */
enum authority authority_of(const struct authority_request *request,
			    const struct authority_grants *grants, const char *user_id,
			    const Isms__V1__PolicyStep *step, bool escalated);

#endif
