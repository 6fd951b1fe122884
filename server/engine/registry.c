/* Binds method rows, kinds and the engine's own statements to the described
 * queries. Every fault is logged before giving up, so that one start shows all
 * of them. */
#include "server/engine/registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/store/v1/clock.pb-c.h"

enum { REGISTRY_WHY = 1 << 20 };

struct binder {
	struct query_set *queries;
	struct arena *arena;
	size_t faults;
};

static void fault(struct binder *binder, const char *where, const char *why)
{
	log_write(LOG_LEVEL_ERROR, "binding_fault", "where=%s why=%s", where, why);
	binder->faults++;
}

static void *must_alloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);
	if (memory == NULL)
		abort();
	return memory;
}

/* Binds a statement; row may be NULL (no rows are read). */
static void bind(struct binder *binder, struct binding *out, const char *where, const char *name,
		 const ProtobufCMessageDescriptor *params, const ProtobufCMessageDescriptor *row)
{
	const struct query *query = query_find(binder->queries, name);
	const char *why = NULL;
	if (query == NULL) {
		fault(binder, where, arena_printf(binder->arena, "no statement %s", name));
		return;
	}
	out->query = query;
	out->row = row;
	out->params = parammap_new(query, params, binder->arena, &why);
	if (out->params == NULL)
		fault(binder, where, why);
	if (row != NULL) {
		out->rows = rowmap_new(query, row, binder->arena, &why);
		if (out->rows == NULL)
			fault(binder, where, why);
	}
	if (query->kind == NULL)
		return;
	const struct kind *kind = kind_by_name(query->kind);
	if (kind == NULL || !kind->versioned)
		fault(binder, where, "the statement names a kind that is not versioned");
	else
		out->kind = kind->id;
}

static void binding_done(struct binding *binding)
{
	parammap_free(binding->params);
	rowmap_free(binding->rows);
}

/* Type of the rows of a read, from the field of the reply they go to. */
static const ProtobufCMessageDescriptor *into_type(struct binder *binder, struct method *method,
						   struct method_load *load,
						   const struct rpc_load *row)
{
	if (row->into == NULL) {
		fault(binder, method->path, "a load of a read says not where its rows go");
		return NULL;
	}
	if (strcmp(row->into, ".") == 0)
		return method->response;
	load->into = pb_field(method->response, row->into);
	if (load->into == NULL || load->into->type != PROTOBUF_C_TYPE_MESSAGE) {
		fault(binder, method->path, "a load goes to a field that is not a message");
		return NULL;
	}
	return (const ProtobufCMessageDescriptor *)load->into->descriptor;
}

/* The statement for things as they were, which fills the same. */
static void bind_past(struct binder *binder, struct method *method, struct method_load *load,
		      const struct rpc_load *row, const ProtobufCMessageDescriptor *type)
{
	const ProtobufCFieldDescriptor *as_of = pb_field(method->request, "as_of");
	bool has = as_of != NULL && as_of->descriptor == &google__protobuf__timestamp__descriptor;
	if (has != (row->past != NULL))
		fault(binder, method->path, "as_of and statements of the past go together");
	if (!has || row->past == NULL)
		return;
	bind(binder, &load->past, method->path, row->past, method->request, type);
	if (load->past.query != NULL)
		method->past_class = load->past.query->class;
}

static void bind_loads(struct binder *binder, struct method *method)
{
	const struct rpc *rpc = method->rpc;
	bool facts = rpc->decide != NULL, list = false;
	method->past_class = QUERY_CLASSES;
	while (method->n_load < RPC_LOADS_MAX && rpc->load[method->n_load].query != NULL) {
		const struct rpc_load *row = &rpc->load[method->n_load];
		struct method_load *load = &method->load[method->n_load++];
		const ProtobufCMessageDescriptor *type = row->row;
		if (facts && (row->into != NULL || row->past != NULL))
			fault(binder, method->path, "a load of facts fills no reply");
		if (!facts)
			type = into_type(binder, method, load, row);
		if (type == NULL) {
			fault(binder, method->path, "a load has no row type");
			continue;
		}
		bind(binder, &load->binding, method->path, row->query, method->request, type);
		if (!facts)
			bind_past(binder, method, load, row, type);
		if (load->binding.query != NULL)
			list |= load->binding.query->class == QUERY_LIST;
	}
	/* what a write waits for is never behind a list */
	method->class = list && rpc->mode != RPC_WRITE ? QUERY_LIST : QUERY_POINT;
}

static bool has_load(const struct rpc *rpc, const char *name)
{
	for (size_t i = 0; i < RPC_LOADS_MAX && rpc->load[i].query != NULL; i++)
		if (strcmp(rpc->load[i].query, name) == 0)
			return true;
	return false;
}

static bool takes(const struct binding *binding, enum query_special special)
{
	for (size_t i = 0; binding->query != NULL && i < binding->query->n_params; i++)
		if (binding->query->params[i].special == special)
			return true;
	return false;
}

/* A permission that nothing would look at is a door that stands open. */
static void check_permission(struct binder *binder, const struct method *method)
{
	const struct rpc *rpc = method->rpc;
	if (rpc->decide != NULL) {
		if (rpc->access == NULL &&
		    (rpc->permission != NULL || rpc->decide_checks_permission))
			fault(binder, method->path, "a permission needs an access query");
		return;
	}
	for (size_t i = 0; i < 2 * method->n_load; i++) {
		const struct method_load *pair = &method->load[i / 2];
		const struct binding *load = i % 2 == 0 ? &pair->binding : &pair->past;
		if (load->query == NULL)
			continue;
		if (rpc->permission != NULL && !takes(load, QUERY_PERMISSION))
			fault(binder, method->path, "a load does not look at the permission");
		if (!takes(load, QUERY_ACTOR) && !takes(load, QUERY_SESSION))
			fault(binder, method->path, "a load does not look at the caller");
	}
}

static void check_decide(struct binder *binder, const struct method *method)
{
	const struct rpc *rpc = method->rpc;
	if ((rpc->mode == RPC_WRITE && rpc->decide == NULL) ||
	    (rpc->mode == RPC_LIST && rpc->decide != NULL))
		fault(binder, method->path, "a write needs a decide function, a list has none");
	if (rpc->mode == RPC_READ && rpc->decide != NULL &&
	    (pb_field(method->request, "mutation") != NULL || rpc->target != NULL ||
	     rpc->needs_expected_version || rpc->work != RPC_WORK_NONE))
		fault(binder, method->path, "a read takes no mutation and has no work");
	if (rpc->decide == NULL && rpc->access != NULL)
		fault(binder, method->path, "an access query needs a decide function");
}

/* What only the server itself may start is kept apart from what is served. */
static void check_system(struct binder *binder, const struct method *method)
{
	const struct rpc *rpc = method->rpc;
	bool own = strncmp(method->path, "/isms.store.", 12) == 0;
	if (own != (rpc->auth == RPC_AUTH_SYSTEM))
		fault(binder, method->path, "methods of the server itself belong to isms.store");
	if (own && (rpc->mode != RPC_WRITE || rpc->permission != NULL || rpc->access != NULL ||
		    rpc->target != NULL || rpc->work != RPC_WORK_NONE))
		fault(binder, method->path, "a method of the server itself has no caller");
}

static void check_row(struct binder *binder, const struct method *method)
{
	const struct rpc *rpc = method->rpc;
	check_decide(binder, method);
	check_system(binder, method);
	if (rpc->mode == RPC_LIST &&
	    (pb_field(method->request, "page_token") == NULL ||
	     pb_field(method->response, "next_page_token") == NULL || method->n_load != 1))
		fault(binder, method->path, "a list needs page fields and one load");
	if (rpc->mode == RPC_WRITE && rpc->auth == RPC_AUTH_TOKEN &&
	    pb_field(method->request, "mutation") == NULL)
		fault(binder, method->path, "a write needs a mutation");
	if (rpc->mode == RPC_STREAM && (method->n_load != 1 || strcmp(rpc->load[0].into, ".") != 0))
		fault(binder, method->path, "a stream needs one load");
	if (rpc->target != NULL && !has_load(rpc, rpc->target))
		fault(binder, method->path, "the target is not loaded");
	if (rpc->work == RPC_WORK_PASSWORD_VERIFY &&
	    (rpc->work_set == NULL || !has_load(rpc, rpc->work_set)))
		fault(binder, method->path, "the work's set is not loaded");
	if (rpc->access != NULL && rpc->visible == NULL)
		fault(binder, method->path, "an access query needs the permission to see");
	check_permission(binder, method);
}

static void bind_method(struct binder *binder, struct method *method,
			const ProtobufCServiceDescriptor *service, const struct rpc *rpc)
{
	size_t size = strlen(service->name) + strlen(rpc->method) + 3;
	method->path = must_alloc(1, size);
	snprintf(method->path, size, "/%s/%s", service->name, rpc->method);
	method->rpc = rpc;
	const ProtobufCMethodDescriptor *descriptor =
		protobuf_c_service_descriptor_get_method_by_name(service, rpc->method);
	if (descriptor == NULL) {
		fault(binder, method->path, "no such method in the service");
		return;
	}
	method->request = descriptor->input;
	method->response = rpc->mode == RPC_STREAM ? rpc->load[0].row : descriptor->output;
	bind_loads(binder, method);
	if (rpc->access != NULL)
		bind(binder, &method->access, method->path, rpc->access, method->request,
		     &isms__store__v1__access__descriptor);
	if (rpc->leftover != NULL)
		bind(binder, &method->leftover, method->path, rpc->leftover, method->request, NULL);
	check_row(binder, method);
}

static int compare_methods(const void *a, const void *b)
{
	return strcmp(((const struct method *)a)->path, ((const struct method *)b)->path);
}

static void bind_methods(struct binder *binder, struct registry *registry,
			 const struct rpc_service *const *services, size_t n_services)
{
	size_t total = 0;
	for (size_t i = 0; i < n_services; i++) {
		total += services[i]->n_rpcs;
		if (services[i]->n_rpcs != services[i]->descriptor->n_methods)
			fault(binder, services[i]->descriptor->name,
			      "the table does not have a row for each method");
	}
	registry->methods = must_alloc(total + 1, sizeof(struct method));
	for (size_t i = 0; i < n_services; i++)
		for (size_t j = 0; j < services[i]->n_rpcs; j++)
			bind_method(binder, &registry->methods[registry->n_methods++],
				    services[i]->descriptor, &services[i]->rpcs[j]);
	qsort(registry->methods, registry->n_methods, sizeof(struct method), compare_methods);
}

static void bind_if_there(struct binder *binder, struct binding *out, const char *kind,
			  const char *verb, const ProtobufCMessageDescriptor *params)
{
	char name[128];
	snprintf(name, sizeof(name), "%s_%s", kind, verb);
	if (query_find(binder->queries, name) != NULL)
		bind(binder, out, name, name, params, NULL);
}

static void bind_kinds(struct binder *binder, struct registry *registry)
{
	for (int id = KIND_NONE + 1; id < KIND_COUNT; id++) {
		const struct kind *kind = kind_of((enum kind_id)id);
		struct kind_statements *statements = &registry->kinds[id];
		if (!kind->versioned) {
			bind_if_there(binder, &statements->put, kind->name, "put", kind->row);
			if (statements->put.query == NULL)
				fault(binder, kind->name, "the kind has no put statement");
			continue;
		}
		bind_if_there(binder, &statements->insert, kind->name, "insert", kind->row);
		bind_if_there(binder, &statements->update, kind->name, "update", kind->row);
		bind_if_there(binder, &statements->guard, kind->name, "guard", NULL);
	}
}

static void bind_engine(struct binder *binder, struct engine_statements *engine)
{
	const struct {
		struct binding *out;
		const char *name;
		const ProtobufCMessageDescriptor *params, *row;
	} rows[] = {
		{ &engine->principal, "principal_by_token", NULL,
		  &isms__store__v1__principal__descriptor },
		{ &engine->clock, "clock", NULL, &isms__store__v1__principal__descriptor },
		{ &engine->session_touch, "session_touch", &isms__store__v1__principal__descriptor,
		  NULL },
		{ &engine->session_guard, "session_guard_valid", NULL, NULL },
		{ &engine->idempotency_get, "idempotency_get", NULL,
		  &isms__store__v1__idempotency__descriptor },
		{ &engine->idempotency_put, "idempotency_put",
		  &isms__store__v1__idempotency__descriptor, NULL },
		{ &engine->audit_put, "audit_event_put", &isms__store__v1__audit_row__descriptor,
		  NULL },
		{ &engine->outbox_put, "outbox_put", &isms__store__v1__outbox_rows__descriptor,
		  NULL },
		{ &engine->conflict_changes, "conflict_changes", NULL,
		  &isms__store__v1__change_since__descriptor },
		{ &engine->permission_held, "permission_held", NULL,
		  &isms__store__v1__held__descriptor },
		{ &engine->clock_due, "clock_due", &isms__store__v1__clock_look__descriptor,
		  &isms__store__v1__clock_due__descriptor },
		{ &engine->clock_purge, "clock_purge", NULL,
		  &isms__store__v1__clock_purged__descriptor },
		{ &engine->server_secret, "server_secret", NULL,
		  &isms__store__v1__server_secret__descriptor },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		bind(binder, rows[i].out, rows[i].name, rows[i].name, rows[i].params, rows[i].row);
}

struct registry *registry_new(struct query_set *queries, const struct rpc_service *const *services,
			      size_t n_services)
{
	struct registry *registry = must_alloc(1, sizeof(*registry));
	struct binder binder = { .queries = queries, .arena = arena_new(REGISTRY_WHY) };
	if (binder.arena == NULL)
		abort();
	bind_methods(&binder, registry, services, n_services);
	bind_kinds(&binder, registry);
	bind_engine(&binder, &registry->engine);
	arena_free(binder.arena);
	if (binder.faults == 0)
		return registry;
	registry_free(registry);
	return NULL;
}

void registry_free(struct registry *registry)
{
	if (registry == NULL)
		return;
	for (size_t i = 0; i < registry->n_methods; i++) {
		for (size_t j = 0; j < registry->methods[i].n_load; j++) {
			binding_done(&registry->methods[i].load[j].binding);
			binding_done(&registry->methods[i].load[j].past);
		}
		binding_done(&registry->methods[i].access);
		binding_done(&registry->methods[i].leftover);
		free(registry->methods[i].path);
	}
	free(registry->methods);
	for (int id = 0; id < KIND_COUNT; id++) {
		binding_done(&registry->kinds[id].insert);
		binding_done(&registry->kinds[id].update);
		binding_done(&registry->kinds[id].put);
		binding_done(&registry->kinds[id].guard);
	}
	struct binding *own = (struct binding *)&registry->engine;
	for (size_t i = 0; i < sizeof(registry->engine) / sizeof(*own); i++)
		binding_done(&own[i]);
	free(registry);
}

const struct method *registry_find(const struct registry *registry, const char *path)
{
	size_t low = 0, high = registry->n_methods;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(path, registry->methods[middle].path);
		if (order == 0)
			return &registry->methods[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
