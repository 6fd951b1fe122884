/* Who may vote on an approval request: the one executable statement of the
 * separation of duties, on plain data, so that it can be read and enumerated
 * alone. Submitting and voting both ask it. Everything is about persons, never
 * accounts. Nobody bypasses it: there is no argument for it.
 *
 * The rules, in the order in which a refusal is named:
 *   S4  a service account never votes
 *   S3  who votes on behalf of another does so by a delegation that fits (the rules
 *       of that: delegation.h), and is another person. Both are spent by the vote:
 *       what follows is asked of the one who votes, then of the one for whom
 *   S1  the person who asked does not vote
 *   S2  a person who wrote or scored the content does not vote; nor does an owner
 *       of a service account that did (owners are contributors)
 *   -   a person takes part once on a step, by whatever account, and for whomever;
 *       stepping back takes part
 *   S5  on a step that wants other people, nobody who took part in an earlier step
 *   S7  what is critical is approved by at least three persons who vote: an approval
 *       that would finish the request with fewer does not count
 * S6, that fresh grants of those involved give nothing, is authority.h's. */
#ifndef ISMS_DOMAIN_ELIGIBILITY_H
#define ISMS_DOMAIN_ELIGIBILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELIGIBILITY_STEPS_MAX = 8,
	ELIGIBILITY_STATES_MAX = 4096, /* of the search for enough people */
	ELIGIBILITY_CRITICAL_PERSONS = 3,
};

enum eligibility {
	ELIGIBLE = 0,
	ELIGIBILITY_SERVICE,
	ELIGIBILITY_DELEGATE,
	ELIGIBILITY_REQUESTER,
	ELIGIBILITY_CONTRIBUTOR,
	ELIGIBILITY_VOTED,
	ELIGIBILITY_DISTINCT,
	ELIGIBILITY_QUORUM_HUMANS,
};

struct eligibility_vote {
	unsigned step; /* from 0 */
	const char *person;
	const char *delegator; /* person for whom; "" when in their own right */
	bool approve;          /* and counts */
};

/* A request as far as the rules look at it. */
struct eligibility_request {
	const char *requester; /* person */
	const char *const *contributors;
	size_t n_contributors;
	const struct eligibility_vote *votes; /* so far */
	size_t n_votes;
	bool critical;
};

/* Somebody who would vote. */
struct eligibility_voter {
	bool service;
	const char *person;    /* "" for a service account */
	bool delegate;         /* would vote on behalf of somebody else */
	bool delegated;        /* by a delegation that fits */
	const char *delegator; /* person for whom; of a delegate only */
};

/* A vote that would be cast. */
struct eligibility_ballot {
	unsigned step; /* from 0 */
	bool distinct; /* the step wants people who did not vote before */
	bool finishes; /* it is an approval, and the last that is needed */
};

/* Whether the voter may ever vote on the request: S4, S3, S1, S2. */
enum eligibility eligibility_of_person(const struct eligibility_request *request,
				       const struct eligibility_voter *voter);
/* Whether the voter may cast this vote now: all rules. */
enum eligibility eligibility_of_vote(const struct eligibility_request *request,
				     const struct eligibility_voter *voter,
				     const struct eligibility_ballot *ballot);

/* The steps of a request that has no votes yet, and the people who may ever vote
 * on it, each once: bit k of steps says that the person is asked on step k. */
struct eligibility_plan {
	size_t n_steps;
	unsigned needed[ELIGIBILITY_STEPS_MAX]; /* approvals */
	bool distinct[ELIGIBILITY_STEPS_MAX];
	const uint8_t *people;
	size_t n_people;
	bool critical;
};

/* 0 when the people can carry the request through all steps under S5 and S7;
 * else the number (from 1) of the first step that cannot be passed. A plan with
 * too many steps, a step that needs nobody, or too large to be searched fails
 * at its first such step. */
unsigned eligibility_shortage(const struct eligibility_plan *plan);

/* "SOD_REQUESTER", …; NULL for ELIGIBLE. */
const char *eligibility_reason(enum eligibility rule);

#endif
