/* Health protocol, see health.h. A service serves when the database answers and
 * the worker is not draining; all services share that state. A watch lives in the
 * arena of its call and leaves the list when the call is cancelled: Watch has no
 * other end. */
#include "server/net/health.h"

#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/scan.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/engine/engine.h"
#include "server/net/call.h"
#include "server/net/descriptors.h"
#include "server/net/worker.h"

#define SERVING(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

struct health_watch {
	TAILQ_ENTRY(health_watch) link;
	struct call *call;
	bool known;
	int status; /* last sent */
};

void health_init(struct health *health)
{
	TAILQ_INIT(&health->watches);
}

static bool is_other(void *arg, const char *name)
{
	return strcmp(arg, name) != 0;
}

/* Reads the request: whether its service is one of ours. */
static struct status read_request(bool *out_known, struct call *call, const uint8_t *data,
				  size_t len)
{
	const ProtobufCMessageDescriptor *type =
		&grpc__health__v1__health_check_request__descriptor;
	struct status st = scan_message(type, data, len, &scan_limits_default, call->arena);
	if (!status_ok(&st)) {
		return st;
	}
	ProtobufCMessage *request = pb_unpack(type, data, len, call->arena);
	if (request == NULL) {
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "MALFORMED_PROTO",
				   "the request is malformed");
	}
	char *service = ((Grpc__Health__V1__HealthCheckRequest *)(void *)request)->service;
	*out_known = *service == '\0' || !descriptors_services(call->worker, is_other, service);
	return STATUS_OK;
}

static int current_status(const struct worker *worker)
{
	bool serving = engine_serving(worker->engine) && !worker->draining;
	return serving ? SERVING(SERVING) : SERVING(NOT_SERVING);
}

static bool send_status(struct call *call, int status)
{
	/* Field 1, varint: every status is one byte. */
	const uint8_t message[] = { 1 << 3, (uint8_t)status };
	return call_send(call, message, sizeof(message));
}

static void check(struct call *call, const uint8_t *data, size_t len)
{
	bool known = false;
	struct status st = read_request(&known, call, data, len);
	if (status_ok(&st) && !known) {
		st = status_make(STATUS_CODE_NOT_FOUND, "SERVICE_UNKNOWN",
				 "there is no such service");
	}
	if (!status_ok(&st) || send_status(call, current_status(call->worker))) {
		call_finish(call, &st);
	}
}

static void watch_start(struct call *call, const uint8_t *data, size_t len)
{
	bool known = false;
	struct status st = read_request(&known, call, data, len);
	struct health_watch *watch = arena_new_of(call->arena, struct health_watch);
	if (status_ok(&st) && watch == NULL) {
		st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				 "the server is out of memory");
	}
	if (!status_ok(&st)) {
		call_finish(call, &st);
		return;
	}
	watch->call = call;
	watch->known = known;
	watch->status = known ? current_status(call->worker) : SERVING(SERVICE_UNKNOWN);
	call->data = watch;
	TAILQ_INSERT_TAIL(&call->worker->health.watches, watch, link);
	send_status(call, watch->status);
}

static void watch_cancel(struct call *call)
{
	struct health_watch *watch = call->data;
	if (watch != NULL) {
		TAILQ_REMOVE(&call->worker->health.watches, watch, link);
		call->data = NULL;
	}
}

void health_tick(struct worker *worker)
{
	int status = current_status(worker);
	struct health_watch *watch;
	struct health_watch *next;
	for (watch = TAILQ_FIRST(&worker->health.watches); watch != NULL; watch = next) {
		next = TAILQ_NEXT(watch, link);
		if (watch->known && watch->status != status) {
			watch->status = status;
			send_status(watch->call, status);
		}
	}
}

static const struct route routes[] = {
	{ .path = "/grpc.health.v1.Health/Check", .message = check },
	{ .path = "/grpc.health.v1.Health/Watch",
	  .streaming = true,
	  .message = watch_start,
	  .cancel = watch_cancel },
};

const struct route *health_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0) {
			return &routes[i];
		}
	}
	return NULL;
}
