/* A vote that is about to be cast: the request, who is asked, who has voted, and
 * what the rules say to this voter. */
#ifndef ISMS_DOMAIN_BALLOT_H
#define ISMS_DOMAIN_BALLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "isms/v1/approval.pb-c.h"
#include "server/domain/facts.h"

struct ballot {
	const struct facts *facts;
	const Isms__V1__CastVoteRequest *vote;
	const Isms__V1__ApprovalRequest *request;
	const Isms__V1__PolicyStep *step; /* open one; NULL when closed */
	const Isms__Store__V1__Assignee *const *assignees;
	size_t n_assignees;
	const Isms__Store__V1__Vote *const *votes;
	size_t n_votes;
	const Isms__Store__V1__Assignee *me; /* the caller on the open step, or NULL */
};

/* Reads the sets vote_request, vote_assignees and vote_votes. */
void ballot_load(struct ballot *out, const struct facts *facts);

/* Everything that does not depend on the state of subject and risk: CLOSED,
 * STEP_NOT_OPEN, the caller's assignment, authority, separation of duties,
 * CONTENT_CHANGED. */
STATUS_MUST_CHECK struct status ballot_check(const struct ballot *ballot);

/* Approvals that are missing on a step of the request; those of people who may decide
 * no more do not count. */
size_t ballot_missing(const struct ballot *ballot, const Isms__V1__PolicyStep *step);
/* Whether approvals can still finish the request: no step that was passed misses one
 * by now, and on no other are there fewer people left than are missing. */
bool ballot_can_finish(const struct ballot *ballot);

#endif
