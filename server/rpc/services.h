/* All services of the API, one table of methods each. */
#ifndef ISMS_RPC_SERVICES_H
#define ISMS_RPC_SERVICES_H

#include <stddef.h>

#include "server/engine/rpc.h"

extern const struct rpc_service acceptance_service;
extern const struct rpc_service approval_service;
extern const struct rpc_service asset_service;
extern const struct rpc_service audit_log_service;
extern const struct rpc_service auth_service;
extern const struct rpc_service catalog_service;
extern const struct rpc_service clock_service;
extern const struct rpc_service delegation_service;
extern const struct rpc_service directory_service;
extern const struct rpc_service policy_service;
extern const struct rpc_service risk_service;
extern const struct rpc_service scope_service;
extern const struct rpc_service treatment_service;
extern const struct rpc_service watch_service;

/* In the order of their names. */
extern const struct rpc_service *const rpc_services[];
extern const size_t rpc_services_count;

#endif
