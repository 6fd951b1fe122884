/* isms.v1.WatchService. The stream itself is the work of server/watch. */
#include "isms/store/v1/watch.pb-c.h"
#include "isms/v1/watch.pb-c.h"
#include "server/rpc/services.h"

static const struct rpc rpcs[] = {
	{ .method = "Watch",
	  .mode = RPC_STREAM,
	  .load = { { .query = "watch_start",
		      .into = ".",
		      .row = &isms__store__v1__watch_start__descriptor } } },
};

const struct rpc_service watch_service = {
	.descriptor = &isms__v1__watch_service__descriptor,
	.rpcs = rpcs,
	.n_rpcs = sizeof(rpcs) / sizeof(rpcs[0]),
};
