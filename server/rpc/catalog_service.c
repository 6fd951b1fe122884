/* isms.v1.CatalogService. */
#include "isms/v1/catalog.pb-c.h"
#include "server/domain/control.h"
#include "server/rpc/dossier_loads.h"
#include "server/rpc/services.h"

static const struct rpc rpcs[] = {
	{ .method = "ListThreats",
	  .mode = RPC_LIST,
	  .permission = "catalog.read",
	  .load = { { .query = "threat_list", .into = "threats" } } },
	{ .method = "ListVulnerabilities",
	  .mode = RPC_LIST,
	  .permission = "catalog.read",
	  .load = { { .query = "vulnerability_list", .into = "vulnerabilities" } } },
	{ .method = "ListControls",
	  .mode = RPC_LIST,
	  .permission = "catalog.read",
	  .load = { { .query = "control_list", .into = "controls" } } },
	{ .method = "UpdateControl",
	  .mode = RPC_WRITE,
	  .permission = "control.write",
	  .access = "access_control",
	  .visible = "catalog.read",
	  .target = "control_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("control_for_write", isms__v1__control), LOADS_OF_CONTROL },
	  .decide = control_update },
	{ .method = "GetActiveMethod",
	  .mode = RPC_READ,
	  .permission = "catalog.read",
	  .load = { { .query = "method_active", .into = "method" } } },
};

const struct rpc_service catalog_service = {
	.descriptor = &isms__v1__catalog_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
