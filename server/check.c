/* Whether program and database fit, see check.h. */
#include "server/check.h"

#include <unistd.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/mono.h"
#include "server/db/db.h"
#include "server/db/query.h"
#include "server/domain/kind.h"
#include "server/engine/engine.h"
#include "server/process.h"
#include "server/rpc/services.h"
#include "server/settings.h"
#include "server/watch/watch.h"

enum { AGAIN_US = 500000 };

struct status check_queries(struct query_set **out)
{
	const char *kinds[KIND_COUNT + 1] = { NULL };
	const char *why = NULL;
	size_t n = 0;
	struct query_set *queries;

	for (int id = KIND_NONE + 1; id < KIND_COUNT; id++) {
		const struct kind *kind = kind_of((enum kind_id)id);

		if (kind->versioned)
			kinds[n++] = kind->name;
	}
	queries = query_set_new(kinds, &why);
	if (!queries)
		return status_make(STATUS_CODE_INTERNAL, "QUERIES", why ? why : "out of memory");
	*out = queries;
	return STATUS_OK;
}

static struct status describe(struct query_set *queries, const struct settings *settings,
			      struct arena *arena)
{
	int64_t until = mono_us() + settings->wait_for_database;
	bool told = false;

	for (;;) {
		struct status st = db_describe(queries, settings->database, arena);

		if (st.code != STATUS_CODE_UNAVAILABLE || mono_us() + AGAIN_US > until)
			return st;
		if (!told)
			log_write(LOG_LEVEL_WARNING, "waiting_for_database", "message=%s",
				  st.message);
		told = true;
		(void)usleep(AGAIN_US);
	}
}

struct status check_bind(struct query_set *queries, const struct settings *settings,
			 struct arena *arena)
{
	struct status st = describe(queries, settings, arena);
	struct engine *engine;
	struct watch *watch;

	if (!status_ok(&st))
		return st;
	engine = engine_new(NULL, NULL, queries, rpc_services, rpc_services_count);
	if (!engine)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "BINDING",
				   "methods do not fit the database, the log says which");
	engine_free(engine);
	watch = watch_new(NULL, NULL, NULL, queries);
	if (!watch)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "BINDING",
				   "a statement does not fit the database, the log says which");
	watch_free(watch);
	return STATUS_OK;
}

static const char *mode_name(enum rpc_mode mode)
{
	switch (mode) {
	case RPC_READ:
		return "read";
	case RPC_LIST:
		return "list";
	case RPC_WRITE:
		return "write";
	case RPC_STREAM:
		return "watch";
	}
	return "?";
}

static const char *permission_name(const struct rpc *rpc)
{
	if (rpc->auth == RPC_AUTH_NONE)
		return "(anybody)";
	return rpc->permission ? rpc->permission : "(any caller)";
}

void check_print(FILE *out)
{
	for (size_t i = 0; i < rpc_services_count; i++) {
		const struct rpc_service *service = rpc_services[i];

		for (size_t j = 0; j < service->n_rpcs; j++) {
			const struct rpc *rpc = &service->rpcs[j];
			int width;

			if (rpc->auth == RPC_AUTH_SYSTEM)
				continue;
			width = (int)(fprintf(out, "/%s/%s", service->descriptor->name,
					      rpc->method));
			(void)fprintf(out, "%*s %-5s  %s\n", width < 56 ? 56 - width : 0, "",
				      mode_name(rpc->mode), permission_name(rpc));
		}
	}
}
