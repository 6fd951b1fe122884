/* The rules of a vote, written a second time: people are bits of a number, times are
 * hours from now. It shares nothing with the server's code but the names of enums. */
#ifndef ISMS_TESTS_BALLOT_MODEL_H
#define ISMS_TESTS_BALLOT_MODEL_H

#include <stdbool.h>

#include "server/domain/states.h"

enum {
	PERSONS = 5,
	ACCOUNTS = 7,
	GRANTS = 10,
	DELEGATIONS = 6,
	STEPS = 2,
	ATTEMPTS = 5,
	OWNERS = 3, /* role */
	/* who is asked on a step, where it is no role and not the owner of the risk */
	SCOPE_OWNER = -2,
	ASSET_OWNERS = -3,
	NAMED = -4,
	NOBODY = -1,
};

/* --- the world, as the second statement knows it; hours from now --------------- */

struct grant {
	int account, role, level, at;
	unsigned by; /* persons */
	bool decides, over;
};

struct delegation {
	int from, to, level, made, starts, ends;
	bool scope, kind, revoked;
};

struct vote {
	int step, account, behalf, delegation;
	bool approve;
};

struct model {
	int person[ACCOUNTS]; /* NOBODY: a service account */
	bool active[ACCOUNTS];
	int owner, scope_owner;
	unsigned asset_owners; /* accounts */
	struct grant grants[GRANTS];
	int n_grants;
	struct delegation delegations[DELEGATIONS];
	int n_delegations;
	unsigned contributors, requester; /* persons */
	int level, submitted;
	struct {
		int role;       /* NOBODY: the owner; or one of the others */
		unsigned users; /* accounts */
		bool distinct, delegable;
		int mode, quorum;
	} steps[STEPS];
	int n_steps, open;
	int seat[STEPS][ACCOUNTS]; /* 0: not asked; else an AssigneeState */
	struct vote votes[ATTEMPTS];
	int n_votes;
};

static inline unsigned bit(int person)
{
	return person == NOBODY ? 0 : 1u << person;
}

/* --- the second statement -------------------------------------------------------- */

static inline unsigned involved(const struct model *m)
{
	return m->contributors | m->requester;
}

static inline bool is_asked_by(const struct model *m, const struct grant *g, int step)
{
	unsigned own = 1u << g->account;
	bool here = g->role != OWNERS || g->account == m->owner;
	switch (m->steps[step].role) {
	case NOBODY:
		return g->role == OWNERS && here;
	case SCOPE_OWNER:
		return g->account == m->scope_owner && here;
	case ASSET_OWNERS:
		return (m->asset_owners & own) != 0 && here;
	case NAMED:
		return (m->steps[step].users & own) != 0 && here;
	default:
		return g->role == m->steps[step].role;
	}
}

static inline bool may_decide(const struct model *m, int account, int step)
{
	int level = NOBODY;
	for (int i = 0; i < m->n_grants; i++) {
		const struct grant *g = &m->grants[i];
		bool fresh = g->at > m->submitted - 24;
		if (g->account != account || g->over || g->at > m->submitted ||
		    (fresh && (g->by & involved(m)) != 0))
			continue;
		if (is_asked_by(m, g, step) && g->decides && g->level > level)
			level = g->level;
	}
	return m->active[account] && level >= m->level;
}

static inline unsigned people_of(const struct model *m, const struct vote *vote)
{
	return bit(m->person[vote->account]) |
	       (vote->behalf == NOBODY ? 0 : bit(m->person[vote->behalf]));
}

static inline unsigned took_part(const struct model *m, int from, int to)
{
	unsigned set = 0;
	for (int i = 0; i < m->n_votes; i++)
		if (m->votes[i].step >= from && m->votes[i].step <= to)
			set |= people_of(m, &m->votes[i]);
	return set;
}

static inline bool is_void(const struct model *m, const struct vote *vote)
{
	int whose = vote->behalf == NOBODY ? vote->account : vote->behalf;
	return !m->active[vote->account] || !may_decide(m, whose, vote->step) ||
	       (vote->delegation != NOBODY && m->delegations[vote->delegation].revoked);
}

static inline int missing(const struct model *m, int step)
{
	unsigned asked = 0;
	int needed = 1;
	for (int i = 0; i < ACCOUNTS; i++)
		if (m->seat[step][i] != 0)
			asked |= bit(m->person[i]);
	if (m->steps[step].mode == STEP(ALL) && asked != 0)
		needed = __builtin_popcount(asked);
	if (m->steps[step].mode == STEP(QUORUM))
		needed = m->steps[step].quorum;
	for (int i = 0; i < m->n_votes; i++)
		needed -= m->votes[i].step == step && m->votes[i].approve &&
			  !is_void(m, &m->votes[i]);
	return needed > 0 ? needed : 0;
}

static inline int fitting(const struct model *m, int from, int to)
{
	for (int i = 0; i < m->n_delegations; i++) {
		const struct delegation *d = &m->delegations[i];
		if (d->from == from && d->to == to && !d->revoked && d->scope && d->kind &&
		    d->level >= m->level && d->made < m->submitted && d->starts <= 0 && d->ends > 0)
			return i;
	}
	return NOBODY;
}

static inline bool allowed(const struct model *m, const struct vote *vote)
{
	int whose = vote->behalf == NOBODY ? vote->account : vote->behalf;
	unsigned people = people_of(m, vote);
	if (m->person[vote->account] == NOBODY || m->person[whose] == NOBODY)
		return false;
	if (vote->behalf != NOBODY &&
	    (__builtin_popcount(people) != 2 || !m->steps[m->open].delegable || !vote->approve ||
	     fitting(m, vote->behalf, vote->account) == NOBODY))
		return false;
	if (m->seat[m->open][whose] != ASSIGNEE(PENDING) || !may_decide(m, whose, m->open))
		return false;
	if ((people & (involved(m) | took_part(m, m->open, m->open))) != 0)
		return false;
	if (m->steps[m->open].distinct && (people & took_part(m, 0, m->open - 1)) != 0)
		return false;
	if (m->level < LEVEL(CRITICAL) || !vote->approve || m->open < m->n_steps - 1 ||
	    missing(m, m->open) > 1)
		return true;
	unsigned humans = bit(m->person[vote->account]);
	for (int i = 0; i < m->n_votes; i++)
		if (m->votes[i].approve && !is_void(m, &m->votes[i]))
			humans |= bit(m->person[m->votes[i].account]);
	return __builtin_popcount(humans) >= 3;
}

#endif
