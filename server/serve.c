/* Serving, see serve.h.
 *
 * The first process holds settings, prepared statements, TLS context and socket;
 * workers are forks of it and so have what it had when they began. A reload is the
 * next settings beside the current ones in the first process, workers that try them,
 * and, when these are ready, the next ones in the place of the current ones. */
#include "server/serve.h"

#include <assert.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/tls.h"
#include "server/check.h"
#include "server/clock.h"
#include "server/db/db.h"
#include "server/db/query.h"
#include "server/embedded.h"
#include "server/engine/engine.h"
#include "server/file.h"
#include "server/listener.h"
#include "server/net/worker.h"
#include "server/process.h"
#include "server/rpc/services.h"
#include "server/settings.h"
#include "server/supervisor.h"
#include "server/watch/watch.h"

enum { SETTINGS_ARENA = 1 << 20, READY_LOOK_US = 20000 };

/* What a reload has read; all zero when there is none. */
struct reload {
	struct arena *arena;
	struct settings settings;
	SSL_CTX *tls;
};

struct service {
	const struct command *command;
	const struct settings *settings;
	struct embedded *embedded;
	struct query_set *queries;
	SSL_CTX *tls;
	int listen_fd;
	const char *address;
	struct worker_counters *counters; /* SUPERVISOR_SLOTS, shared with the workers */
	struct reload current;            /* behind settings and tls, after a reload */
	struct reload next;               /* is tried */
};

static struct db_settings database_settings(const struct settings *settings)
{
	struct db_settings limits = {
		.conninfo = settings->database,
		.connections = { [QUERY_POINT] = (int)settings->point_connections,
				 [QUERY_LIST] = (int)settings->list_connections,
				 [QUERY_COMMIT] = (int)settings->commit_connections },
		.statement_timeout_us = { [QUERY_POINT] = settings->point_timeout,
					  [QUERY_LIST] = settings->list_timeout,
					  [QUERY_COMMIT] = settings->commit_timeout },
		.queue_max = (size_t)settings->database_queue,
	};

	return limits;
}

/* From the moment that somebody is told of the server, a signal ends it in order. */
static void hold_signals(int how)
{
	static const int held[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		(void)sigaddset(&set, held[i]);
	(void)sigprocmask(how, &set, NULL);
}

/* Tells the service manager, if there is one, by its datagram protocol. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	(void)close(fd);
}

static void report(void *arg)
{
	const struct service *service = arg;
	struct worker_counters sum = { 0 };

	for (size_t i = 0; i < SUPERVISOR_SLOTS; i++) {
		const volatile struct worker_counters *one = &service->counters[i];

		sum.accepted += one->accepted;
		sum.connections += one->connections;
		sum.handshakes_failed += one->handshakes_failed;
		sum.calls += one->calls;
		sum.in_flight += one->in_flight;
		sum.refused += one->refused;
	}
	log_write(LOG_LEVEL_INFO, "counters",
		  "accepted=%llu connections=%llu handshakes_failed=%llu calls=%llu in_flight=%llu "
		  "refused=%llu",
		  (unsigned long long)sum.accepted, (unsigned long long)sum.connections,
		  (unsigned long long)sum.handshakes_failed, (unsigned long long)sum.calls,
		  (unsigned long long)sum.in_flight, (unsigned long long)sum.refused);
}

/* --- a worker ----------------------------------------------------------------- */

struct worker_signals {
	struct service *service;
	struct worker *worker;
	struct clock *clock; /* of the first worker */
	struct event *events[4];
	int64_t stop_asked; /* without a supervisor; 0: not yet */
};

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	const struct worker_signals *signals = arg;

	(void)sig;
	(void)what;
	clock_stop(signals->clock);
	worker_drain(signals->worker);
}

/* What else the supervisor would do. */
static void on_stop_alone(evutil_socket_t sig, short what, void *arg)
{
	struct worker_signals *signals = arg;
	int64_t now = mono_us();

	if (signals->stop_asked == 0) {
		signals->stop_asked = now;
		notify("STOPPING=1");
	} else if (now >= signals->stop_asked + SUPERVISOR_AGAIN_US) {
		worker_stop(signals->worker);
	}
	on_stop(sig, what, arg);
}

static void on_report(evutil_socket_t sig, short what, void *arg)
{
	const struct worker_signals *signals = arg;

	(void)sig;
	(void)what;
	report(signals->service);
}

static bool read_settings(struct service *service, struct reload *out);
static void drop(struct reload *reload);

/* Without a supervisor only the certificate can be exchanged. */
static void on_reload(evutil_socket_t sig, short what, void *arg)
{
	const struct worker_signals *signals = arg;
	struct reload fresh;

	(void)sig;
	(void)what;
	if (!read_settings(signals->service, &fresh))
		return;
	worker_set_tls(signals->worker, fresh.tls);
	log_write(LOG_LEVEL_INFO, "reloaded", "what=certificate");
	drop(&fresh);
}

static void signals_init(struct worker_signals *signals, struct event_base *base, bool alone)
{
	event_callback_fn stop = alone ? on_stop_alone : on_stop;

	signals->events[0] = evsignal_new(base, SIGTERM, stop, signals);
	signals->events[1] = evsignal_new(base, SIGINT, stop, signals);
	if (alone) {
		signals->events[2] = evsignal_new(base, SIGHUP, on_reload, signals);
		signals->events[3] = evsignal_new(base, SIGUSR1, on_report, signals);
	}
	for (size_t i = 0; i < (alone ? 4 : 2); i++) {
		assert(signals->events[i]);
		(void)event_add(signals->events[i], NULL);
	}
}

static void signals_done(struct worker_signals *signals)
{
	for (size_t i = 0; i < 4; i++)
		if (signals->events[i])
			event_free(signals->events[i]);
}

/* Until every kind of connection to the database is up, a worker is not ready. */
struct readiness {
	const struct engine *engine;
	atomic_bool *ready;
	struct event *look;
};

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct readiness *readiness = arg;

	(void)fd;
	(void)what;
	if (!engine_serving(readiness->engine))
		return;
	atomic_store(readiness->ready, true);
	(void)event_del(readiness->look);
}

static void readiness_init(struct readiness *readiness, struct event_base *base)
{
	const struct timeval look = { .tv_usec = READY_LOOK_US };

	readiness->look = event_new(base, -1, EV_PERSIST, on_look, readiness);
	if (!readiness->look || event_add(readiness->look, &look) != 0)
		abort();
}

static struct worker *make_worker(struct service *service, unsigned slot, struct event_base *base,
				  struct engine *engine, struct watch *watch)
{
	struct worker_settings settings = worker_settings_default;

	settings.listen_fd = service->listen_fd;
	settings.tls = service->tls;
	settings.number = slot;
	settings.connections_max = (size_t)service->settings->max_connections;
	settings.address_connections_max = (size_t)service->settings->max_connections_per_address;
	settings.idle_us = service->settings->idle_timeout;
	settings.streams_max = (unsigned)service->settings->max_streams;
	settings.drain_us = service->settings->drain_timeout;
	settings.reflection = service->settings->reflection;
	settings.routes = watch_route(watch);
	settings.n_routes = 1;
	settings.counters = &service->counters[slot];
	*settings.counters = (struct worker_counters){ 0 };
	return worker_new(base, engine, &settings);
}

/* place NULL: without a supervisor. */
static int run_worker(struct service *service, const struct supervisor_place *place)
{
	unsigned slot = place ? place->slot : 0;
	struct db_settings limits = database_settings(service->settings);
	struct facts_limits decisions = { .decisions_per_hour =
						  service->settings->decisions_per_hour };
	struct worker_signals signals = { .service = service };
	struct readiness readiness = { 0 };
	struct event_base *base = event_base_new();
	struct db *db = base ? db_new(base, service->queries, &limits) : NULL;
	struct engine *engine =
		db ? engine_new(base, db, service->queries, rpc_services, rpc_services_count)
		   : NULL;
	struct watch *watch = engine ? watch_new(base, engine, db, service->queries) : NULL;

	if (watch) {
		engine_set_limits(engine, &decisions);
		signals.worker = make_worker(service, slot, base, engine, watch);
	}
	if (!signals.worker) {
		log_write(LOG_LEVEL_ERROR, "worker_start_failed", "slot=%u", slot);
		db_free(db);
		watch_free(watch);
		engine_free(engine);
		if (base)
			event_base_free(base);
		return EXIT_FAILURE;
	}
	if ((!place || place->first) && service->settings->clock_interval > 0)
		signals.clock = clock_new(base, engine, service->settings->clock_interval);
	signals_init(&signals, base, !place);
	if (place) {
		readiness = (struct readiness){ .engine = engine, .ready = place->ready };
		readiness_init(&readiness, base);
	} else {
		hold_signals(SIG_UNBLOCK);
	}
	worker_run(signals.worker);
	if (readiness.look)
		event_free(readiness.look);
	worker_free(signals.worker);
	signals_done(&signals);
	clock_free(signals.clock);
	db_free(db);
	watch_free(watch);
	engine_free(engine);
	event_base_free(base);
	return EXIT_SUCCESS;
}

static void take(struct service *service);

static int worker_process(void *arg, const struct supervisor_place *place)
{
	struct service *service = arg;
	char who[32];

	(void)snprintf(who, sizeof(who), "worker.%u", place->slot);
	log_set_who(who);
	if (place->next)
		take(service);
	if (service->embedded)
		embedded_forked(service->embedded);
	return run_worker(service, place);
}

/* --- reloading ------------------------------------------------------------------ */

static void drop(struct reload *reload)
{
	SSL_CTX_free(reload->tls);
	arena_free(reload->arena);
	*reload = (struct reload){ 0 };
}

/* Reads settings and certificate anew. false, with the reason in the log, when any
 * of it is wrong: then there is nothing to drop. */
static bool read_settings(struct service *service, struct reload *out)
{
	struct status st =
		status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");

	*out = (struct reload){ .arena = arena_new(SETTINGS_ARENA) };
	if (out->arena)
		st = settings_load(&out->settings, service->command, out->arena);
	if (out->arena && status_ok(&st)) {
		if (service->embedded)
			embedded_settings(service->embedded, &out->settings);
		st = tls_server_context(&out->tls, out->settings.tls_cert, out->settings.tls_key,
					out->settings.tls12, out->arena);
	}
	if (out->arena && status_ok(&st))
		return true;
	log_write(LOG_LEVEL_ERROR, "reload_failed", "reason=%s message=%s", st.reason, st.message);
	drop(out);
	return false;
}

/* Makes the next settings the current ones. */
static void take(struct service *service)
{
	SSL_CTX_free(service->tls);
	arena_free(service->current.arena);
	service->current = service->next;
	service->next = (struct reload){ 0 };
	service->settings = &service->current.settings;
	service->tls = service->current.tls;
	log_set_level(service->settings->level);
}

static bool reload(void *arg, unsigned *workers)
{
	struct service *service = arg;
	struct settings *settings = &service->next.settings;

	if (!read_settings(service, &service->next))
		return false;
	if (strcmp(settings->listen, service->settings->listen) != 0 || settings->workers == 0) {
		log_write(LOG_LEVEL_WARNING, "setting_needs_restart", "setting=%s",
			  settings->workers == 0 ? "workers" : "listen");
		if (settings->workers == 0)
			settings->workers = service->settings->workers;
	}
	*workers = (unsigned)settings->workers;
	return true;
}

static void reloaded(void *arg, struct supervisor *supervisor, const char *why_not)
{
	struct service *service = arg;

	if (why_not) {
		drop(&service->next);
		log_write(LOG_LEVEL_ERROR, "reload_failed", "reason=WORKERS_NOT_READY message=%s",
			  why_not);
		return;
	}
	take(service);
	supervisor->workers = (unsigned)service->settings->workers;
	supervisor->drain_timeout_us = service->settings->drain_timeout;
	log_write(LOG_LEVEL_INFO, "reloaded", "what=settings workers=%u", supervisor->workers);
}

static pid_t restart_database(void *arg)
{
	struct service *service = arg;

	return embedded_restart(service->embedded);
}

/* --- the first process ------------------------------------------------------------- */

static struct status prepare(struct service *service, struct arena *arena)
{
	const struct settings *settings = service->settings;
	struct status st;

	if (!settings->database[0])
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_SETTING",
				   "setting database is needed, or --embedded DIR");
	if (!settings->tls_cert[0] || !settings->tls_key[0])
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_SETTING",
				   "settings tls-cert and tls-key are needed");
	st = tls_server_context(&service->tls, settings->tls_cert, settings->tls_key,
				settings->tls12, arena);
	if (status_ok(&st))
		st = check_queries(&service->queries);
	if (status_ok(&st))
		st = check_bind(service->queries, settings, arena);
	if (status_ok(&st))
		st = listener_open(&service->listen_fd, &service->address, settings->listen,
				   (int)settings->backlog, arena);
	if (!status_ok(&st))
		return st;
	service->counters = mmap(NULL, SUPERVISOR_SLOTS * sizeof(*service->counters),
				 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (service->counters == MAP_FAILED) {
		service->counters = NULL;
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	}
	return STATUS_OK;
}

static struct status announce(const struct service *service, struct arena *arena)
{
	const struct settings *settings = service->settings;
	const char *pid = arena_printf(arena, "%d\n", (int)getpid());
	struct status st = STATUS_OK;

	if (settings->pid_file[0])
		st = file_write(settings->pid_file, pid, strlen(pid), 0644, arena);
	if (!status_ok(&st))
		return st;
	log_write(LOG_LEVEL_INFO, "serving", "address=%s workers=%d pid=%d version=%s",
		  service->address, (int)settings->workers, (int)getpid(), ISMS_VERSION);
	if (service->embedded)
		st = embedded_announce(service->embedded, service->address, arena);
	else
		(void)printf("serving at %s\n", service->address);
	(void)fflush(stdout);
	notify("READY=1");
	return st;
}

/* Whoever connects from now on is to go elsewhere at once, and not to wait for the
 * workers that drain. */
static void stopping(void *arg)
{
	struct service *service = arg;

	(void)close(service->listen_fd);
	service->listen_fd = -1;
	notify("STOPPING=1");
}

static int supervise(struct service *service)
{
	int exit_status;
	struct supervisor supervisor = {
		.workers = (unsigned)service->settings->workers,
		.drain_timeout_us = service->settings->drain_timeout,
		.worker = worker_process,
		.reload = reload,
		.reloaded = reloaded,
		.stopping = stopping,
		.report = report,
		.helper_signal = SIGINT,
		.arg = service,
	};

	if (service->embedded) {
		supervisor.helper_start = restart_database;
		supervisor.helper = embedded_database(service->embedded);
	}
	exit_status = supervisor_run(&supervisor);
	if (service->embedded)
		embedded_database_gone(service->embedded);
	return exit_status;
}

static void service_done(struct service *service)
{
	if (service->counters)
		(void)munmap(service->counters, SUPERVISOR_SLOTS * sizeof(*service->counters));
	if (service->listen_fd >= 0)
		(void)close(service->listen_fd);
	query_set_free(service->queries);
	SSL_CTX_free(service->tls);
	arena_free(service->current.arena);
	drop(&service->next);
}

struct status serve_run(int *exit_status, const struct command *command,
			const struct settings *settings, struct embedded *embedded,
			struct arena *arena)
{
	struct service service = {
		.command = command, .settings = settings, .embedded = embedded, .listen_fd = -1
	};
	struct status st = prepare(&service, arena);

	if (!status_ok(&st))
		goto out;
	hold_signals(SIG_BLOCK);
	st = announce(&service, arena);
	if (!status_ok(&st))
		goto out;
	if (settings->workers > 0) {
		*exit_status = supervise(&service);
	} else {
		*exit_status = run_worker(&service, NULL);
		service.listen_fd = -1; /* was the worker's */
	}
	log_write(LOG_LEVEL_INFO, "stopped", "pid=%d", (int)getpid());
	if (settings->pid_file[0])
		(void)unlink(settings->pid_file);
out:
	service_done(&service);
	return st;
}
