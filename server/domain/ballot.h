/* The state of a vote: the request, who is asked, who has voted, whose authority still
 * holds. It counts; who may vote is voter.h's. Seats and entries that a decision adds or
 * changes are changed here and written once, at its end. */
#ifndef ISMS_DOMAIN_BALLOT_H
#define ISMS_DOMAIN_BALLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "isms/store/v1/decision.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "server/domain/authority.h"
#include "server/domain/eligibility.h"
#include "server/domain/facts.h"
#include "server/domain/plan.h"

/* Votes of delegates on one request: each has two accounts, two persons and a
 * delegation that the last vote proves. */
enum { BALLOT_DELEGATED_MAX = 16 };

/* Grants that are loaded for one request: first those of the people who are asked and
 * of the caller, and then, while there is room, those of whom an escalation may ask; one
 * row more tells that there are more. See the statements …_grants. */
enum { BALLOT_GRANTS_MAX = 2000 };

/* Somebody who is asked on a step. */
struct ballot_seat {
	const Isms__Store__V1__Assignee *row;
	Isms__V1__AssigneeState state; /* as the decision makes it */
	bool added;                    /* by an escalation of this decision */
	bool entitled;                 /* the authority for it holds */
};

/* A vote. One that is void, since the authority for it ended, counts nowhere, but who
 * cast it has taken part. */
struct ballot_entry {
	const Isms__Store__V1__Vote *row;
	bool is_void;
};

struct ballot {
	const struct facts *facts;
	const char *of; /* first word of the names of its sets */
	const Isms__V1__ApprovalRequest *request;
	const Isms__V1__PolicyStep *step; /* open one; NULL when closed */
	struct authority_request terms;
	struct authority_grants grants;
	struct ballot_seat *seats;
	size_t n_seats;
	struct ballot_entry *entries;
	size_t n_entries;
	const Isms__Store__V1__HeldDelegation *const *delegations;
	size_t n_delegations;
	struct eligibility_request rules;
};

/* Reads the sets <of>_request, <of>_assignees, <of>_voters, <of>_votes, <of>_grants and
 * <of>_delegations. RESOURCE_EXHAUSTED, TOO_MANY_GRANTS when the people who are asked
 * hold more than are loaded: nobody is taken for one without rights. */
STATUS_MUST_CHECK struct status ballot_load(struct ballot *out, const struct facts *facts,
					    const char *of);

/* How fast the person who votes has decided within the hour: the set <of>_pace; NULL
 * when nobody knows. */
const Isms__Store__V1__DecisionPace *ballot_pace(const struct ballot *ballot);

/* The seat of an account on the open step, or NULL. */
struct ballot_seat *ballot_seat_of(const struct ballot *ballot, const char *user_id);
/* Adds a vote that is being cast. */
void ballot_add(struct ballot *ballot, const Isms__Store__V1__Vote *vote);

/* Approvals that are missing on a step; void ones do not count. */
size_t ballot_missing(const struct ballot *ballot, const Isms__V1__PolicyStep *step);
/* Whether the person has taken part on the step, or before it where that counts. */
bool ballot_is_spent(const struct ballot *ballot, const char *person,
		     const Isms__V1__PolicyStep *step);

enum ballot_outlook {
	BALLOT_OPEN,      /* it can be finished by those who are asked */
	BALLOT_ESCALATES, /* not on the open step, unless more people are asked */
	BALLOT_LOST,      /* not at all: a step that was passed misses an approval by now, or
			     too few are left */
};
enum ballot_outlook ballot_outlook(const struct ballot *ballot);

/* Asks the role that the open step escalates to, as far as its holders may decide and
 * have not taken part, and there is room. How many. */
size_t ballot_escalate(struct ballot *ballot);
/* Forgets who was asked by that and has not voted. */
void ballot_drop(struct ballot *ballot);

/* Who was asked and voted without authority by now is VOID; everybody: also who was only
 * asked. Whether somebody is. */
bool ballot_void(struct ballot *ballot, bool everybody);
/* Adds the seats that changed to the plan. */
void ballot_put(const struct ballot *ballot, struct plan *plan);

#endif
