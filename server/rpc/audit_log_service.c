/* isms.v1.AuditLogService. */
#include "isms/v1/audit.pb-c.h"
#include "server/rpc/services.h"

static const struct rpc rpcs[] = {
	{ .method = "ListAuditEvents",
	  .mode = RPC_LIST,
	  .permission = "audit.read",
	  .load = { { .query = "audit_event_list", .into = "events" } } },
};

const struct rpc_service audit_log_service = {
	.descriptor = &isms__v1__audit_log_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
