/* The inventory of assets: each ACTIVE one has an owner and a classification. */
#ifndef ISMS_DOMAIN_ASSET_H
#define ISMS_DOMAIN_ASSET_H

#include "common/status.h"

struct facts;
struct plan;

/* CreateAsset: loads asset_ref, asset_ai_system, owner_for_write. */
STATUS_MUST_CHECK struct status asset_create(const struct facts *facts, struct plan *plan);
/* UpdateAsset: loads asset_for_write, asset_ai_system, owner_for_write. */
STATUS_MUST_CHECK struct status asset_update(const struct facts *facts, struct plan *plan);

#endif
