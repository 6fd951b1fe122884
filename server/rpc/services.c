/* The list that the engine is made with. */
#include "server/rpc/services.h"

const struct rpc_service *const rpc_services[] = {
	&acceptance_service, &approval_service, &asset_service, &audit_log_service,
	&auth_service,       &catalog_service,  &clock_service, &delegation_service,
	&directory_service,  &policy_service,   &risk_service,  &scope_service,
	&treatment_service,  &watch_service,
};
const size_t rpc_services_count = sizeof(rpc_services) / sizeof(rpc_services[0]);
