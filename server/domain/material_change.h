/* A change after which a decision about a risk no longer means what it said: the
 * current level rises, something is linked to the risk, an asset of it is
 * reclassified, a compensating control fails. Open requests become STALE and
 * their subjects drafts again, an acceptance in force becomes INVALIDATED, and the
 * risk goes back to ANALYSED unless something else treats it. */
#ifndef ISMS_DOMAIN_MATERIAL_CHANGE_H
#define ISMS_DOMAIN_MATERIAL_CHANGE_H

#include "common/status.h"
#include "server/domain/dossier.h"

/* The risks that one change may touch. */
enum { MATERIAL_RISKS_MAX = 16 };

/* Applies a change to one risk, whose dossier the caller settles. what names the
 * change in a sentence ("the current level rose from MEDIUM to HIGH"); it is kept
 * with the rows. true when something was open or in force. */
bool material_change_apply(struct dossier *dossier, const char *what);

/* Applies a change of an asset to all risks that it is linked to, and settles
 * their dossiers. The method must load the sets of LOADS_OF_ASSET
 * (server/rpc/dossier_loads.h), keyed by the request's id. Call it after the
 * asset's own plan_update. FAILED_PRECONDITION, TOO_MANY_AFFECTED beyond
 * MATERIAL_RISKS_MAX risks with something open or in force. */
STATUS_MUST_CHECK struct status material_change_of_asset(const struct facts *facts,
							 struct plan *plan, const char *what);

#endif
