/* Where calls begin and end. A call is answered once; what it still waits for
 * (a batch that was sent cannot be taken back) comes back to a call that is gone
 * and then frees it. */
#include "server/engine/engine.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/pb.h"
#include "common/scan.h"
#include "isms/v1/common.pb-c.h"
#include "server/engine/call.h"

enum { ENGINE_TYPES_MAX = 512, SECRET_WAIT_US = 1000 };

static struct timeval timeval_of(int64_t us)
{
	if (us < 0)
		us = 0;
	return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

/* --- the end of a call ------------------------------------------------------ */

static void free_call(struct engine_call *call)
{
	struct engine *engine = call->engine;
	assert(!call->waiting);
	if (call->timer != NULL)
		event_free(call->timer);
	if (call->retry != NULL)
		event_free(call->retry);
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		engine->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	engine->n_calls--;
	arena_free(call->arena);
}

static void log_failure(const struct engine_call *call, const struct status *st)
{
	enum log_level level = call->org_id != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	if (st->code == STATUS_CODE_INTERNAL)
		level = LOG_LEVEL_ERROR;
	log_write(level, "call_failed", "call=%llu rpc=%s code=%s reason=%s message=%s peer=%s",
		  (unsigned long long)call->id, call->method->path, status_code_name(st->code),
		  st->reason != NULL ? st->reason : "", st->message != NULL ? st->message : "",
		  call->peer);
}

static void reply_once(struct engine_call *call, const struct status *st, const uint8_t *message,
		       size_t len)
{
	if (call->gone)
		return;
	call->gone = true;
	if (!status_ok(st))
		log_failure(call, st);
	call->reply(call->arg, st, status_ok(st) ? message : NULL, status_ok(st) ? len : 0);
}

void call_answer(struct engine_call *call, const struct status *st, const uint8_t *message,
		 size_t len)
{
	reply_once(call, st, message, len);
	if (!call->waiting)
		free_call(call);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct engine_call *call = arg;
	(void)fd;
	(void)what;
	struct status st = status_make(STATUS_CODE_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
				       "the deadline of the call has passed");
	if (call->state == CALL_COMMIT)
		st = status_make(STATUS_CODE_DEADLINE_EXCEEDED, "OUTCOME_UNKNOWN",
				 "the deadline has passed while the change was being written; "
				 "repeat the call with the same request_id to learn the outcome");
	if (call->state == CALL_RETRY)
		call->waiting = false;
	call_answer(call, &st, NULL, 0);
}

void engine_call_cancel(struct engine_call *call)
{
	call->gone = true;
	if (call->state == CALL_RETRY)
		call->waiting = false;
	if (!call->waiting)
		free_call(call);
}

/* --- another attempt -------------------------------------------------------- */

void plan_begin(struct engine_call *call)
{
	memset(&call->plan, 0, sizeof(call->plan));
	call->plan.arena = call->arena;
	call->plan.now_us = call->facts.now_us;
	call->plan.entropy = randombytes_buf;
	if (call->principal != NULL)
		call->plan.actor_id = call->principal->user_id;
	call->plan.org_id = call->org_id;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct engine_call *call = arg;
	(void)fd;
	(void)what;
	call->waiting = false;
	call_load(call);
}

/* xorshift64: only to spread retries. */
static int64_t jitter_us(struct engine *engine, int64_t below)
{
	engine->jitter ^= engine->jitter << 13;
	engine->jitter ^= engine->jitter >> 7;
	engine->jitter ^= engine->jitter << 17;
	return (int64_t)(engine->jitter % (uint64_t)below);
}

void call_again(struct engine_call *call)
{
	arena_reset(call->arena, call->mark);
	call->principal = call->identity;
	if (++call->attempts == CALL_ATTEMPTS_MAX) {
		struct status st = status_make(STATUS_CODE_ABORTED, "CONTENTION",
					       "others keep changing what this call depends on");
		status_set_retry(&st, call->arena, 100000);
		call_fail(call, st);
		return;
	}
	if (call->retry == NULL)
		call->retry = evtimer_new(call->engine->base, on_retry, call);
	struct timeval wait = timeval_of(
		jitter_us(call->engine, (int64_t)CALL_RETRY_JITTER_US << call->attempts));
	if (call->retry == NULL || event_add(call->retry, &wait) != 0)
		abort();
	call->state = CALL_RETRY;
	call->waiting = true;
}

/* --- the beginning of a call ------------------------------------------------ */

static struct status check_mutation(struct engine_call *call)
{
	if (!call->method->rpc->needs_expected_version)
		return STATUS_OK;
	const ProtobufCMessage *mutation = pb_sub(call->request, "mutation");
	if (mutation != NULL && pb_int(mutation, "expected_version") > 0)
		return STATUS_OK;
	return status_invalid(call->arena, "mutation.expected_version",
			      "is required: the version of the object that was read");
}

static struct status parse_request(struct engine_call *call, const struct engine_request *request)
{
	struct scan_limits limits = scan_limits_default;
	limits.refuse_unknown = call->method->rpc->mode == RPC_WRITE;
	struct status st = scan_message(call->method->request, request->message, request->len,
					&limits, call->arena);
	if (!status_ok(&st))
		return st;
	call->request =
		pb_unpack(call->method->request, request->message, request->len, call->arena);
	if (call->request == NULL)
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "MALFORMED_PROTO",
				   "the request is not a message of this method's type");
	if (!digest_sha256_of(call->body_sha256, request->message, request->len))
		abort();
	st = rules_check(call->engine->rules, call->request, call->arena);
	return status_ok(&st) ? check_mutation(call) : st;
}

static struct engine_call *new_call(struct engine *engine, const struct method *method,
				    const struct engine_request *request, engine_reply_fn reply,
				    void *arg)
{
	struct arena *arena = arena_new(CALL_ARENA_MAX);
	struct engine_call *call = arena == NULL ? NULL : arena_new_of(arena, struct engine_call);
	if (call == NULL)
		abort();
	call->engine = engine;
	call->method = method;
	call->arena = arena;
	call->id = request->id;
	call->peer = arena_strdup(arena, request->peer != NULL ? request->peer : "");
	call->deadline_us = request->deadline_us;
	call->reply = reply;
	call->arg = arg;
	call->has_token = principals_token(call->token_sha256, request->authorization);
	call->next = engine->calls;
	if (call->next != NULL)
		call->next->prev = call;
	engine->calls = call;
	engine->n_calls++;
	return call;
}

static void start_deadline(struct engine_call *call)
{
	if (call->deadline_us == 0)
		return;
	struct timeval wait = timeval_of(call->deadline_us - mono_us());
	call->timer = evtimer_new(call->engine->base, on_deadline, call);
	if (call->timer == NULL || event_add(call->timer, &wait) != 0)
		abort();
}

static struct engine_call *refuse_start(engine_reply_fn reply, void *arg, struct status st)
{
	reply(arg, &st, NULL, 0);
	return NULL;
}

/* The method with this path, if it is the server's own or not. */
static const struct method *find_method(const struct engine *engine, const char *path, bool own)
{
	const struct method *method = registry_find(engine->registry, path);
	return method != NULL && (method->rpc->auth == RPC_AUTH_SYSTEM) == own ? method : NULL;
}

static struct status method_unknown(void)
{
	return status_make(STATUS_CODE_UNIMPLEMENTED, "METHOD_UNKNOWN", "there is no such method");
}

static struct status too_many_calls(void)
{
	return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "TOO_MANY_CALLS",
			   "too many calls are in flight");
}

void engine_system_start(struct engine *engine, const char *path, const char *org_id,
			 const ProtobufCMessage *request, engine_reply_fn reply, void *arg)
{
	const struct engine_request none = { .path = path };
	const struct method *method = find_method(engine, path, true);
	if (method == NULL || engine->n_calls >= CALL_IN_FLIGHT_MAX) {
		(void)refuse_start(reply, arg,
				   method == NULL ? method_unknown() : too_many_calls());
		return;
	}
	assert(request->descriptor == method->request);
	struct engine_call *call = new_call(engine, method, &none, reply, arg);
	call->org_id = arena_strdup(call->arena, org_id);
	call->request = pb_clone(request, call->arena);
	if (call->org_id == NULL || call->request == NULL)
		abort();
	call_auth(call);
}

struct engine_call *engine_call_start(struct engine *engine, const struct engine_request *request,
				      engine_reply_fn reply, void *arg)
{
	const struct method *method = find_method(engine, request->path, false);
	if (method == NULL)
		return refuse_start(reply, arg, method_unknown());
	if (engine->n_calls >= CALL_IN_FLIGHT_MAX)
		return refuse_start(reply, arg, too_many_calls());
	struct engine_call *call = new_call(engine, method, request, reply, arg);
	struct status st = parse_request(call, request);
	if (!status_ok(&st)) {
		/* Who may not call at all is not told what is wrong with the call. */
		if (method->rpc->auth == RPC_AUTH_TOKEN && !call->has_token)
			st = principals_refusal();
		call_fail(call, st);
		return NULL;
	}
	start_deadline(call);
	/* The call ends during its start only when nothing was sent. */
	call->waiting = false;
	size_t before = engine->n_calls;
	call_auth(call);
	return engine->n_calls < before ? NULL : call;
}

/* --- the engine ------------------------------------------------------------- */

struct secret_wait {
	bool done;
	struct status st;
};

static void on_secret(struct db_batch *batch, const struct status *st)
{
	struct secret_wait *wait = batch->arg;
	wait->done = true;
	wait->st = *st;
}

/* The one wait of the engine, at start-up: page tokens need the secret. */
static bool load_secret(struct engine *engine)
{
	const struct binding *binding = &engine->registry->engine.server_secret;
	struct arena *arena = arena_new(1 << 16);
	if (arena == NULL)
		abort();
	struct secret_wait wait = { 0 };
	struct db_item item = { .query = binding->query };
	struct db_batch batch = { .items = &item,
				  .n = 1,
				  .class = QUERY_POINT,
				  .arena = arena,
				  .done = on_secret,
				  .arg = &wait };
	db_submit(engine->db, &batch);
	while (!wait.done) {
		db_flush(engine->db);
		if (event_base_loop(engine->base, EVLOOP_ONCE) < 0)
			break;
	}
	ProtobufCMessage *row = NULL;
	bool ok = wait.done && status_ok(&wait.st) && rowmap_count(item.result) == 1;
	if (ok) {
		struct status st = rowmap_read(&row, binding->rows, item.result, 0, arena);
		const Isms__Store__V1__ServerSecret *secret = (const void *)row;
		ok = status_ok(&st) && secret->secret.len == PAGE_SECRET;
		if (ok)
			memcpy(engine->secret, secret->secret.data, PAGE_SECRET);
	}
	arena_free(arena);
	return ok;
}

static struct rules *bind_rules(const struct registry *registry)
{
	const ProtobufCMessageDescriptor *types[ENGINE_TYPES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < registry->n_methods; i++) {
		assert(n + 2 <= ENGINE_TYPES_MAX);
		if (registry->methods[i].rpc->auth == RPC_AUTH_SYSTEM)
			continue; /* not part of the API: nobody sends it */
		types[n++] = registry->methods[i].request;
		if (registry->methods[i].rpc->mode != RPC_STREAM)
			types[n++] = registry->methods[i].response;
	}
	const char *why = NULL;
	struct rules *rules = rules_new(types, n, &why);
	if (rules == NULL)
		log_write(LOG_LEVEL_ERROR, "rules_fault", "why=%s", why);
	return rules;
}

struct engine *engine_new(struct event_base *base, struct db *db, struct query_set *queries,
			  const struct rpc_service *const *services, size_t n_services)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	if (engine == NULL || sodium_init() < 0)
		abort();
	engine->base = base;
	engine->db = db;
	TAILQ_INIT(&engine->errands);
	randombytes_buf(&engine->jitter, sizeof(engine->jitter));
	engine->jitter |= 1;
	engine->registry = registry_new(queries, services, n_services);
	if (engine->registry != NULL)
		engine->rules = bind_rules(engine->registry);
	if (engine->rules == NULL || (db != NULL && !load_secret(engine))) {
		engine_free(engine);
		return NULL;
	}
	engine->principals = principals_new();
	if (base != NULL)
		engine->work = work_new(base);
	return engine;
}

void engine_set_limits(struct engine *engine, const struct facts_limits *limits)
{
	engine->limits = *limits;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	work_free(engine->work);
	while (engine->calls != NULL) {
		engine->calls->gone = true;
		engine->calls->waiting = false;
		free_call(engine->calls);
	}
	errands_free(engine);
	principals_free(engine->principals);
	rules_free(engine->rules);
	registry_free(engine->registry);
	free(engine);
}

bool engine_knows(const struct engine *engine, const char *path)
{
	return find_method(engine, path, false) != NULL;
}

bool engine_serving(const struct engine *engine)
{
	return db_ready(engine->db);
}

void engine_flush(struct engine *engine)
{
	db_flush(engine->db);
}

size_t engine_in_flight(const struct engine *engine)
{
	return engine->n_calls;
}
