/* isms.v1.AssetService. */
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/asset.pb-c.h"
#include "isms/v1/scope.pb-c.h"
#include "server/domain/asset.h"
#include "server/rpc/dossier_loads.h"
#include "server/rpc/services.h"

static const struct rpc rpcs[] = {
	{ .method = "CreateAsset",
	  .mode = RPC_WRITE,
	  .permission = "asset.write",
	  .access = "scope_access_scope",
	  .visible = "scope.read",
	  .load = { LOAD("asset_ref", isms__store__v1__next_ref),
		    LOAD("asset_ai_system", isms__v1__ai_system),
		    LOAD("owner_for_write", isms__store__v1__account) },
	  .decide = asset_create },
	{ .method = "GetAsset",
	  .mode = RPC_READ,
	  .permission = "asset.read",
	  .load = { { .query = "asset_get", .into = "asset", .past = "asset_get_past" } } },
	{ .method = "ListAssets",
	  .mode = RPC_LIST,
	  .permission = "asset.read",
	  .load = { { .query = "asset_list", .into = "assets", .past = "asset_list_past" } } },
	{ .method = "ListAssetVersions",
	  .mode = RPC_LIST,
	  .permission = "asset.read",
	  .empty_is_not_found = true,
	  .load = { { .query = "asset_versions", .into = "versions" } } },
	{ .method = "UpdateAsset",
	  .mode = RPC_WRITE,
	  .permission = "asset.write",
	  .access = "asset_access",
	  .visible = "asset.read",
	  .target = "asset_for_write",
	  .needs_expected_version = true,
	  .load = { LOAD("asset_for_write", isms__v1__asset),
		    LOAD("asset_ai_system", isms__v1__ai_system),
		    LOAD("owner_for_write", isms__store__v1__account), LOADS_OF_ASSET },
	  .leftover = "leftover_of_asset",
	  .decide = asset_update },
};

const struct rpc_service asset_service = {
	.descriptor = &isms__v1__asset_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
