/* The separation of duties, enumerated against a second statement of the rules
 * that shares nothing with the first: sets of people are bits of a number, and
 * whether there are enough people is found by trying all ways to vote. */
#include "server/domain/eligibility.h"

#include "tests/unit/tap.h"

enum { PEOPLE = 4, STEPS = 3 };

static const char *const persons[PEOPLE] = { "p0", "p1", "p2", "p3" };

/* --- the second statement --------------------------------------------------- */

struct law {
	bool service, delegate, delegated;
	unsigned voter, behalf; /* bits; behalf is 0 in their own right */
	unsigned requester, contributors;
	unsigned voted[STEPS], approved; /* who voted by step; who approved at all */
	unsigned step;
	bool distinct, finishes, critical;
};

static unsigned count(unsigned set)
{
	unsigned n = 0;
	for (; set != 0; set &= set - 1)
		n++;
	return n;
}

static const char *law_says(const struct law *law)
{
	unsigned earlier = 0;
	for (unsigned k = 0; k < law->step; k++)
		earlier |= law->voted[k];
	unsigned both = law->voter | law->behalf;
	const struct {
		bool broken;
		const char *reason;
	} rules[] = {
		{ law->service, "SOD_SERVICE" },
		{ law->delegate && (!law->delegated || law->behalf == law->voter), "SOD_DELEGATE" },
		{ (law->voter & law->requester) != 0, "SOD_REQUESTER" },
		{ (law->voter & law->contributors) != 0, "SOD_CONTRIBUTOR" },
		{ (law->behalf & law->requester) != 0, "SOD_REQUESTER" },
		{ (law->behalf & law->contributors) != 0, "SOD_CONTRIBUTOR" },
		{ (both & law->voted[law->step]) != 0, "ALREADY_VOTED" },
		{ law->distinct && (both & earlier) != 0, "SOD_DISTINCT" },
		{ law->finishes && law->critical && count(law->approved | law->voter) < 3,
		  "SOD_QUORUM_HUMANS" },
	};
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].broken)
			return rules[i].reason;
	return NULL;
}

/* --- votes ------------------------------------------------------------------ */

static unsigned long cases, differences;

static void compare(const struct eligibility_request *request, struct law *law, unsigned n_people)
{
	/* a delegate of the next person, or, alone, of itself */
	const unsigned delegator = n_people > 1 ? 1 : 0;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct eligibility_request r = *request;
		r.critical = law->critical = (bits & 1) != 0;
		law->distinct = (bits & 2) != 0;
		law->finishes = (bits & 4) != 0;
		law->service = (bits & 8) != 0;
		law->delegate = (bits & 16) != 0;
		law->delegated = (bits & 32) != 0;
		law->behalf = law->delegate ? 1u << delegator : 0;
		const struct eligibility_voter voter = { .service = law->service,
							 .delegate = law->delegate,
							 .delegated = law->delegated,
							 .delegator = persons[delegator],
							 .person = law->service ? "" : "p0" };
		const struct eligibility_ballot ballot = { .step = law->step,
							   .distinct = law->distinct,
							   .finishes = law->finishes };
		const char *want = law_says(law);
		const char *got = eligibility_reason(eligibility_of_vote(&r, &voter, &ballot));
		bool same =
			(want == NULL) == (got == NULL) && (want == NULL || strcmp(want, got) == 0);
		differences += !same;
		cases++;
	}
}

/* All requesters and sets of contributors for one set of votes. The voter is p0:
 * the people are alike but for what they did. */
static void each_request(const struct eligibility_vote *votes, size_t n_votes, struct law *law,
			 unsigned n_people)
{
	for (unsigned requester = 0; requester < n_people; requester++)
		for (unsigned set = 0; set < 1u << n_people; set++) {
			const char *contributors[PEOPLE];
			size_t n = 0;
			for (unsigned p = 0; p < n_people; p++)
				if ((set & (1u << p)) != 0)
					contributors[n++] = persons[p];
			law->voter = 1;
			law->requester = 1u << requester;
			law->contributors = set;
			const struct eligibility_request request = {
				.requester = persons[requester],
				.contributors = contributors,
				.n_contributors = n,
				.votes = votes,
				.n_votes = n_votes,
			};
			compare(&request, law, n_people);
		}
}

/* All votes that may stand when a step is open: kinds 2 is none or approval, 3
 * also rejection. */
static void each_history(unsigned n_people, unsigned step, unsigned kinds)
{
	unsigned places = n_people * (step + 1), total = 1;
	for (unsigned i = 0; i < places; i++)
		total *= kinds;
	for (unsigned code = 0; code < total; code++) {
		struct eligibility_vote votes[PEOPLE * STEPS];
		struct law law = { .step = step };
		size_t n = 0;
		unsigned rest = code;
		for (unsigned place = 0; place < places; place++, rest /= kinds) {
			unsigned person = place % n_people, at = place / n_people;
			if (rest % kinds == 0)
				continue;
			bool approve = rest % kinds == 1;
			votes[n++] = (struct eligibility_vote){ at, persons[person], "", approve };
			law.voted[at] |= 1u << person;
			law.approved |= approve ? 1u << person : 0;
		}
		each_request(votes, n, &law, n_people);
	}
}

TEST(who_may_vote_agrees_with_the_second_statement)
{
	cases = differences = 0;
	for (unsigned n_people = 1; n_people <= 3; n_people++)
		for (unsigned step = 0; step < STEPS; step++)
			each_history(n_people, step, 3);
	for (unsigned step = 0; step < STEPS; step++)
		each_history(PEOPLE, step, step < 2 ? 3 : 2);
	CHECK_INT(differences, 0);
	CHECK(cases > 10000000);
	printf("# %lu cases\n", cases);
}

TEST(a_second_account_is_the_same_person)
{
	static const char *const contributors[] = { "p1" };
	static const struct eligibility_vote votes[] = { { 0, "p2", "", true } };
	const struct eligibility_request request = { .requester = "p0",
						     .contributors = contributors,
						     .n_contributors = 1,
						     .votes = votes,
						     .n_votes = 1 };
	const struct eligibility_ballot first = { .step = 0 };
	const struct eligibility_ballot second = { .step = 1, .distinct = true };
	/* the rules never see an account: whichever of theirs a person uses, the
	 * person is what is handed in */
	const struct eligibility_voter other_of[] = {
		{ .person = "p0" }, { .person = "p1" }, { .person = "p2" }, { .person = "p3" }
	};
	CHECK_INT(eligibility_of_vote(&request, &other_of[0], &first), ELIGIBILITY_REQUESTER);
	CHECK_INT(eligibility_of_vote(&request, &other_of[1], &first), ELIGIBILITY_CONTRIBUTOR);
	CHECK_INT(eligibility_of_vote(&request, &other_of[2], &first), ELIGIBILITY_VOTED);
	CHECK_INT(eligibility_of_vote(&request, &other_of[2], &second), ELIGIBILITY_DISTINCT);
	CHECK_INT(eligibility_of_vote(&request, &other_of[3], &second), ELIGIBLE);
}

TEST(an_account_without_a_person_never_votes)
{
	const struct eligibility_request request = { .requester = "p0" };
	const struct eligibility_voter nobody = { .service = false, .person = "" };
	CHECK_INT(eligibility_of_person(&request, &nobody), ELIGIBILITY_SERVICE);
}

/* --- enough people ---------------------------------------------------------- */

/* Tries every set of voters on each step; voted: by all earlier steps. */
static bool passable(const struct eligibility_plan *plan, size_t n_steps, unsigned step,
		     unsigned voted, unsigned at_least)
{
	if (step == n_steps)
		return count(voted) >= at_least;
	unsigned asked = 0;
	for (unsigned p = 0; p < plan->n_people; p++)
		if ((plan->people[p] & (1u << step)) != 0)
			asked |= 1u << p;
	for (unsigned set = 0; set < 1u << PEOPLE; set++) {
		if ((set & ~asked) != 0 || count(set) != plan->needed[step])
			continue;
		if (plan->distinct[step] && (set & voted) != 0)
			continue;
		if (passable(plan, n_steps, step + 1, voted | set, at_least))
			return true;
	}
	return false;
}

static unsigned shortage_by_trying(const struct eligibility_plan *plan)
{
	for (unsigned n = 1; n <= plan->n_steps; n++)
		if (!passable(plan, n, 0, 0, plan->critical && n == plan->n_steps ? 3 : 0))
			return n;
	return 0;
}

static void each_need(struct eligibility_plan *plan)
{
	for (unsigned code = 0; code < 27 * 8 * 2; code++) {
		unsigned needs = code % 27, distinct = code / 27 % 8;
		for (unsigned k = 0; k < STEPS; k++, needs /= 3) {
			plan->needed[k] = needs % 3 + 1;
			plan->distinct[k] = (distinct & (1u << k)) != 0;
		}
		plan->critical = code / (27 * 8) != 0;
		for (plan->n_steps = 1; plan->n_steps <= STEPS; plan->n_steps++) {
			differences += eligibility_shortage(plan) != shortage_by_trying(plan);
			cases++;
		}
	}
}

TEST(enough_people_agrees_with_trying_all_ways)
{
	cases = differences = 0;
	for (unsigned n = 0; n <= PEOPLE; n++) {
		uint8_t people[PEOPLE] = { 0 };
		struct eligibility_plan plan = { .people = people, .n_people = n };
		/* people are alike: only sorted lists of what they are asked */
		for (unsigned code = 0; code < 1u << (3 * n); code++) {
			bool sorted = true;
			for (unsigned p = 0; p < n; p++) {
				people[p] = (uint8_t)(code >> (3 * p) & 7);
				sorted = sorted && (p == 0 || people[p - 1] <= people[p]);
			}
			if (sorted)
				each_need(&plan);
		}
	}
	CHECK_INT(differences, 0);
	CHECK(cases > 300000);
	printf("# %lu cases\n", cases);
}

TEST(a_plan_beyond_the_limits_is_a_shortage)
{
	uint8_t people[3] = { 1, 1, 1 };
	struct eligibility_plan plan = { .people = people, .n_people = 3, .n_steps = 0 };
	CHECK_INT(eligibility_shortage(&plan), 1);
	plan.n_steps = ELIGIBILITY_STEPS_MAX + 1;
	CHECK_INT(eligibility_shortage(&plan), 1);
	plan.n_steps = 1;
	plan.needed[0] = 0;
	CHECK_INT(eligibility_shortage(&plan), 1);
	plan.needed[0] = ELIGIBILITY_STATES_MAX;
	CHECK_INT(eligibility_shortage(&plan), 1);
	plan.needed[0] = 3;
	CHECK_INT(eligibility_shortage(&plan), 0);
}

TAP_MAIN
