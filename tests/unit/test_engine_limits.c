/* The limits of the decisions, held against what one commit can write and prove. */
#include "server/db/db.h"
#include "server/domain/approval.h"
#include "server/domain/ballot.h"
#include "server/domain/delegation.h"
#include "server/domain/dossier.h"
#include "server/domain/material_change.h"
#include "server/domain/plan.h"
#include "tests/unit/tap.h"

TEST(the_largest_plans_fit_into_a_commit)
{
	enum { OTHERS = 16 }; /* caller, session, method, policy, key, event, outbox, … */
	const int dossier = 1 + DOSSIER_PLANS_MAX + DOSSIER_ACCEPTANCES_MAX + DOSSIER_REQUESTS_MAX;
	const int affected = MATERIAL_RISKS_MAX + MATERIAL_PLANS_MAX + MATERIAL_ACCEPTANCES_MAX +
			     MATERIAL_REQUESTS_MAX;
	const int avoiding = 20; /* ai_system_avoid */
	/* a request with its assignees */
	CHECK(dossier + 2 + APPROVAL_ASSIGNEES_MAX <= PLAN_ROWS_MAX);
	/* a last vote with accounts and persons of all, delegators and delegations too, the
	 * delegations that the caller might have used, and each seat that changes */
	CHECK(dossier + 3 * APPROVAL_ASSIGNEES_MAX + 3 * BALLOT_DELEGATED_MAX +
		      DELEGATION_OPEN_MAX + OTHERS <=
	      DB_BATCH_MAX);
	/* a system with all the risks that a change of it may touch */
	CHECK(1 + affected <= PLAN_ROWS_MAX);
	CHECK(affected + avoiding + OTHERS <= DB_BATCH_MAX);
}

TAP_MAIN
