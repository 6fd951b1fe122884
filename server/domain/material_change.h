/* A change after which a decision about a risk no longer means what it said: the
 * current level rises, something is linked to the risk, an asset of it is
 * reclassified or goes to another AI system, its AI system, or that of an asset, changes
 * its stage, its vendor or leaves the scope, a compensating control fails. Open requests
 * become STALE and their subjects drafts again. An acceptance in force becomes
 * INVALIDATED; or, when the steps that approved it say so, it must be reviewed in time,
 * unless the level rose. The risk goes back to ANALYSED unless something else treats
 * it. */
#ifndef ISMS_DOMAIN_MATERIAL_CHANGE_H
#define ISMS_DOMAIN_MATERIAL_CHANGE_H

#include "common/status.h"
#include "server/domain/dossier.h"

/* The rows that one change may touch, so that one commit can write and prove them;
 * risk.sql loads one more of each. A risk costs a commit three or four statements,
 * 0.8 ms of processor time with what the history keeps, and 600 bytes of the audit
 * event: 1,000 risks hold their rows locked for 0.6 s of work, well below the 2 s
 * that others wait for a lock. Beyond that the change is refused, and says what to
 * do; the decisions stay in force until then. */
enum {
	MATERIAL_RISKS_MAX = 1000,
	MATERIAL_PLANS_MAX = 3000,
	MATERIAL_ACCEPTANCES_MAX = 1500,
	MATERIAL_REQUESTS_MAX = 1500,
};

/* Applies a change to one risk, whose dossier the caller settles. what names the
 * change in a sentence ("the current level rose from MEDIUM to HIGH"); it is kept
 * with the rows. true when something was open or in force. */
bool material_change_apply(struct dossier *dossier, const char *what);
/* The same for a level that has risen: no review suffices. */
bool material_change_rise(struct dossier *dossier, Isms__V1__RiskLevel from,
			  Isms__V1__RiskLevel to);
/* The part of it that is due when only those who are asked have changed: open
 * requests become STALE, what is in force stays. */
bool material_change_close(struct dossier *dossier, const char *what);

/* Applies a change of something that risks refer to ("asset", "system") to all of
 * them that have something open or in force, and settles their dossiers. The method
 * must load the sets of LOADS_OF_ASSET or LOADS_OF_SYSTEM (server/rpc/dossier_loads.h),
 * keyed by the request's id, and have the statement leftover_of_asset or _system prove
 * that nothing was opened in between. Call it after the object's own plan_update.
 * FAILED_PRECONDITION, TOO_MANY_AFFECTED beyond the maxima above. */
STATUS_MUST_CHECK struct status material_change_of(const char *of, const struct facts *facts,
						   struct plan *plan, const char *what);

/* The same for a control that fails, with LOADS_OF_CONTROL and leftover_of_control: an
 * acceptance in force that does not name it stays. */
STATUS_MUST_CHECK struct status material_change_of_control(const struct facts *facts,
							   struct plan *plan,
							   const char *control_id,
							   const char *what);

#endif
