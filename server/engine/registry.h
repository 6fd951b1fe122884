/* The method rows, bound to their statements: what the engine looks a path up
 * in. Everything is checked here once, at start-up. */
#ifndef ISMS_ENGINE_REGISTRY_H
#define ISMS_ENGINE_REGISTRY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/db/query.h"
#include "server/db/rowmap.h"
#include "server/domain/kind.h"
#include "server/engine/rpc.h"

/* A statement, bound to where its parameters come from and its rows go. */
struct binding {
	const struct query *query;
	struct parammap *params;
	struct rowmap *rows; /* NULL: no rows */
	const ProtobufCMessageDescriptor *row;
	enum kind_id kind; /* versioned kind of the rows, or KIND_NONE */
};

struct method_load {
	struct binding binding;
	struct binding past;                  /* zero: none */
	const ProtobufCFieldDescriptor *into; /* field of the reply, NULL for facts and "." */
};

struct method {
	char *path; /* "/isms.v1.RiskService/GetRisk" */
	const struct rpc *rpc;
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *response;
	struct method_load load[RPC_LOADS_MAX];
	size_t n_load;
	struct binding access;
	struct binding leftover; /* zero: none */
	enum query_class class;
	enum query_class past_class; /* QUERY_CLASSES: it knows no past */
};

/* How rows of a kind are written. Statements that do not exist are zero. */
struct kind_statements {
	struct binding insert, update, put, guard;
};

/* Statements of the engine itself. */
struct engine_statements {
	struct binding principal, clock, session_touch, session_guard;
	struct binding idempotency_get, idempotency_put;
	struct binding audit_put, outbox_put, conflict_changes, server_secret;
	struct binding permission_held;
	struct binding clock_due, clock_purge;
};

struct registry {
	struct method *methods; /* sorted by path */
	size_t n_methods;
	struct kind_statements kinds[KIND_COUNT];
	struct engine_statements engine;
};

/* Binds all; each fault is logged, and NULL returned when there is one. The
 * query set must be described. Yours. */
struct registry *registry_new(struct query_set *queries, const struct rpc_service *const *services,
			      size_t n_services);
void registry_free(struct registry *registry);
/* Borrowed, or NULL. */
const struct method *registry_find(const struct registry *registry, const char *path);

#endif
