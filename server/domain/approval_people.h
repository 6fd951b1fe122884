/* Who is asked on the steps of a policy, and whether they can carry a request
 * through all of them: the one answer for what is submitted and for what is only
 * tried. */
#ifndef ISMS_DOMAIN_APPROVAL_PEOPLE_H
#define ISMS_DOMAIN_APPROVAL_PEOPLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/approval.pb-c.h"

struct arena;

/* Assignees of one request, all steps together: so many rows a plan can hold, and the
 * last vote can prove the account and the person of each. */
enum { APPROVAL_ASSIGNEES_MAX = 96, APPROVAL_CANDIDATES_MAX = 2000 };

/* A request that would be opened. */
struct approval_question {
	char *request_id; /* for the rows that are made */
	const Isms__V1__PolicySteps *steps;
	Isms__V1__RiskLevel level;
	const char *requester; /* person */
	char *const *contributors;
	size_t n_contributors; /* persons */
	int64_t now_us;        /* when it would be submitted */
	/* everybody who may decide there, a row for each grant */
	const Isms__Store__V1__Candidate *const *candidates;
	size_t n_candidates;
};

struct approval_people {
	Isms__Store__V1__Assignee **assignees;
	size_t n_assignees;
};

/* FAILED_PRECONDITION: NO_ELIGIBLE_APPROVER (step and via are in the details; out
 * holds all the same who would be asked), TOO_MANY_APPROVERS. */
STATUS_MUST_CHECK struct status approval_people_find(struct approval_people *out,
						     const struct approval_question *question,
						     struct arena *arena);

#endif
