/* One connection: connects without blocking, prepares every statement, then
 * sends batches and takes their results in libpq's pipeline mode. One Sync is in
 * flight at a time, and all between two Syncs is one implicit transaction, so a
 * batch is answered only when its Sync has come back.
 *
 * Nothing is ever cancelled: a cancel could hit a neighbour's statement or a
 * commit. statement_timeout bounds the work, a timer the silence. */
#include "server/db/db_pipe.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/util.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/mono.h"
#include "server/db/db_connect.h"
#include "server/db/pgerr.h"

enum { PREPARED_AT_ONCE = 16 };

static const int64_t CONNECT_TIMEOUT_US = 5000000;
static const int64_t BACKOFF_MIN_US = 100000, BACKOFF_MAX_US = 5000000;
static const int64_t SILENCE_US = 5000000; /* beyond statement_timeout */

static void attempt(struct db_pipe *pipe);
static void down(struct db_pipe *pipe, const char *why);

static void set_timer(struct db_pipe *pipe, int64_t us)
{
	struct timeval time = { us / 1000000, us % 1000000 };
	if (event_add(pipe->timer, &time) != 0)
		log_write(LOG_LEVEL_ERROR, "database.timer", "why=\"cannot set a timer\"");
}

/* --- batches ---------------------------------------------------------------- */

/* Sends a batch back to where it came from: its results, if any, are stale. */
static void again(struct db_pipe *pipe, struct db_batch *batch)
{
	db_batch_again(&pipe->pool->queue, batch);
	event_active(pipe->pool->db->again, EV_TIMEOUT, 0);
}

static void again_or(struct db_pipe *pipe, struct db_batch *batch, const struct status *st)
{
	if (batch->retried)
		db_batch_done(batch, st);
	else
		again(pipe, batch);
}

static struct status unknown_outcome(void)
{
	return status_make(STATUS_CODE_UNKNOWN, "OUTCOME_UNKNOWN",
			   "the connection was lost while the change was being committed");
}

static void settle_commit_lost(struct db_pipe *pipe, struct db_batch *batch)
{
	/* an error of a statement proves that nothing was committed */
	bool undone = !pipe->synced || pipe->guilty != NULL;
	if (undone && (pipe->guilty == NULL || pipe->fatal)) {
		struct status st = status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
					       "the connection to the database was lost");
		again_or(pipe, batch, &st);
	} else if (undone) {
		db_batch_done(batch, &pipe->failure);
	} else {
		struct status st = unknown_outcome();
		batch->outcome_unknown = true;
		db_batch_done(batch, &st);
	}
}

static void settle_lost(struct db_pipe *pipe, struct db_list list)
{
	struct status st = status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
				       "the connection to the database was lost");
	struct db_batch *batch;
	while ((batch = db_list_take(&list)) != NULL) {
		if (pipe->pool->class == QUERY_COMMIT)
			settle_commit_lost(pipe, batch);
		else if (batch == pipe->guilty && !pipe->fatal)
			db_batch_done(batch, &pipe->failure);
		else
			again_or(pipe, batch, &st);
	}
}

static void settle_failed(struct db_pipe *pipe, struct db_list list)
{
	struct db_batch *batch;
	while ((batch = db_list_take(&list)) != NULL) {
		if (batch != pipe->guilty || (pipe->stale && !batch->retried))
			again(pipe, batch);
		else
			db_batch_done(batch, &pipe->failure);
	}
}

static void settle_good(struct db_pipe *pipe, struct db_list list)
{
	struct db_batch *batch;
	while ((batch = db_list_take(&list)) != NULL) {
		struct status st = STATUS_OK;
		if (pipe->local_only) {
			st = unknown_outcome();
			batch->outcome_unknown = true;
		}
		db_batch_done(batch, &st);
	}
}

/* The Sync is back. */
static void settle(struct db_pipe *pipe)
{
	struct db_list list = pipe->sent;
	bool clean = PQtransactionStatus(pipe->conn) == PQTRANS_IDLE;
	bool retry = pipe->stale && !pipe->guilty->retried;
	pipe->sent = (struct db_list){ 0 };
	if (!clean && pipe->guilty == NULL && pipe->pool->class == QUERY_COMMIT)
		settle_lost(pipe, list);
	else if (pipe->guilty != NULL)
		settle_failed(pipe, list);
	else
		settle_good(pipe, list);
	if (!clean)
		down(pipe, "a transaction was left open");
	else if (retry)
		down(pipe, "a prepared statement has become invalid");
	else
		pipe->state = DB_PIPE_IDLE;
}

static void fail_batch(struct db_pipe *pipe, struct db_batch *batch, const PGresult *result)
{
	if (pipe->guilty != NULL)
		return;
	pipe->guilty = batch;
	pipe->fatal = pgerr_fatal(result);
	pipe->stale = pgerr_stale(result);
	pipe->failure = pgerr_status(result, batch->arena);
}

/* --- results ---------------------------------------------------------------- */

static void take_busy(struct db_pipe *pipe, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		settle(pipe);
		return;
	}
	if (pipe->current == NULL) {
		/* a deferred constraint, checked by the commit itself; but an end of
		 * the connection may come before or after the commit */
		if (PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL && !pgerr_fatal(result))
			fail_batch(pipe, pipe->sent.first, result);
		PQclear(result);
		return;
	}
	pipe->answered = true;
	if (good) {
		pipe->current->items[pipe->current->received].result = result;
		return;
	}
	if (status != PGRES_PIPELINE_ABORTED &&
	    PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
		fail_batch(pipe, pipe->current, result);
	PQclear(result);
}

static void next_statement(struct db_pipe *pipe)
{
	pipe->answered = false;
	pipe->current->received++;
	if (pipe->current->received == pipe->current->n)
		pipe->current = pipe->current->next;
}

static void take_preparing(struct db_pipe *pipe, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (status == PGRES_FATAL_ERROR && state != NULL && pipe->prepare_fault == NULL) {
		pipe->prepare_fault = "a statement cannot be prepared";
		log_write(LOG_LEVEL_ERROR, "database.prepare", "sqlstate=%s why=%s", state,
			  PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	}
	PQclear(result);
	if (status != PGRES_PIPELINE_SYNC || --pipe->syncs > 0)
		return;
	if (pipe->prepare_fault != NULL) {
		down(pipe, pipe->prepare_fault);
		return;
	}
	pipe->state = DB_PIPE_IDLE;
	pipe->failures = 0;
	event_del(pipe->timer);
}

/* Takes what has come; an end of statement is a NULL, a Sync has none. */
static void take_results(struct db_pipe *pipe)
{
	bool ended = false;
	while (pipe->state == DB_PIPE_BUSY || pipe->state == DB_PIPE_PREPARING) {
		if (PQisBusy(pipe->conn))
			return;
		PGresult *result = PQgetResult(pipe->conn);
		if (result != NULL) {
			ended = false;
			if (pipe->state == DB_PIPE_BUSY)
				take_busy(pipe, result);
			else
				take_preparing(pipe, result);
			continue;
		}
		if (ended)
			return;
		ended = true;
		if (pipe->state == DB_PIPE_BUSY && pipe->answered)
			next_statement(pipe);
	}
	/* notices while nothing is in flight */
	if (pipe->state == DB_PIPE_IDLE)
		(void)PQisBusy(pipe->conn);
}

/* Whether nothing but the commit can be going on. libpq hands a notice on before
 * the result that came ahead of it, so the last statement is in doubt. */
static bool committing(const struct db_pipe *pipe)
{
	if (pipe->state != DB_PIPE_BUSY || pipe->pool->class != QUERY_COMMIT)
		return false;
	return pipe->current == NULL || pipe->current->received + 1 == pipe->current->n;
}

/* PostgreSQL warns that a commit is durable here but maybe not on the standby. */
static void on_notice(void *arg, const PGresult *result)
{
	struct db_pipe *pipe = arg;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (committing(pipe) && state != NULL && strcmp(state, "01000") == 0)
		pipe->local_only = true;
	log_write(LOG_LEVEL_WARNING, "database.notice", "sqlstate=%s message=%s",
		  state == NULL ? "" : state, text == NULL ? "" : text);
}

/* --- bytes ------------------------------------------------------------------ */

static void flush_bytes(struct db_pipe *pipe)
{
	int left = PQflush(pipe->conn);
	if (left == 1 && event_add(pipe->writable, NULL) != 0)
		left = -1;
	/* a failed write is told by the read that follows it */
	if (left < 0)
		event_active(pipe->readable, EV_READ, 0);
}

static void receive(struct db_pipe *pipe)
{
	PGconn *conn = pipe->conn;
	bool open = PQconsumeInput(conn) == 1;
	pipe->active_us = mono_us();
	/* what came before the end still counts */
	take_results(pipe);
	if (pipe->conn == conn && (!open || PQstatus(conn) == CONNECTION_BAD))
		down(pipe, db_connect_error(conn));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	receive(arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct db_pipe *pipe = arg;
	(void)fd;
	(void)what;
	PGconn *conn = pipe->conn;
	receive(pipe);
	if (pipe->conn == conn)
		flush_bytes(pipe);
}

static void watch_silence(struct db_pipe *pipe)
{
	int64_t limit = pipe->pool->db->settings.statement_timeout_us[pipe->pool->class];
	if (limit > 0 && !event_pending(pipe->timer, EV_TIMEOUT, NULL))
		set_timer(pipe, limit + SILENCE_US);
}

static bool send_statement(PGconn *conn, const struct db_item *item)
{
	static int binary[QUERY_PARAMS_MAX];
	if (binary[0] == 0)
		for (int i = 0; i < QUERY_PARAMS_MAX; i++)
			binary[i] = 1;
	return PQsendQueryPrepared(conn, item->query->name, (int)item->query->n_params,
				   item->values, item->lengths, binary, 1) == 1;
}

static bool send_batches(struct db_pipe *pipe)
{
	for (struct db_batch *batch = pipe->sent.first; batch != NULL; batch = batch->next)
		for (size_t i = 0; i < batch->n; i++)
			if (!send_statement(pipe->conn, &batch->items[i]))
				return false;
	pipe->synced = true;
	return PQpipelineSync(pipe->conn) == 1;
}

/* Whether the server has hung up while nothing was in flight: then the batch need
 * not be sent into the void, with an outcome that nobody knows. */
static bool hung_up(struct db_pipe *pipe)
{
	for (int i = 0; i < 2; i++) {
		if (PQconsumeInput(pipe->conn) == 0)
			return true;
		(void)PQisBusy(pipe->conn);
	}
	return PQstatus(pipe->conn) == CONNECTION_BAD;
}

void db_pipe_send(struct db_pipe *pipe, const struct db_list *batches)
{
	assert(pipe->state == DB_PIPE_IDLE && batches->first != NULL);
	pipe->state = DB_PIPE_BUSY;
	pipe->sent = *batches;
	pipe->current = batches->first;
	pipe->answered = pipe->synced = pipe->local_only = pipe->stale = pipe->fatal = false;
	pipe->guilty = NULL;
	pipe->active_us = mono_us();
	for (struct db_batch *batch = batches->first; batch != NULL; batch = batch->next) {
		batch->received = 0;
		batch->sent_us = pipe->active_us;
	}
	bool last_try = pipe->pool->class == QUERY_COMMIT || batches->first->retried;
	if (last_try && hung_up(pipe)) {
		/* it was never sent, so this was no attempt */
		pipe->sent = (struct db_list){ 0 };
		db_list_add_first(&pipe->pool->queue, batches->first);
		down(pipe, db_connect_error(pipe->conn));
		return;
	}
	if (!send_batches(pipe)) {
		down(pipe, db_connect_error(pipe->conn));
		return;
	}
	flush_bytes(pipe);
	watch_silence(pipe);
}

/* --- connecting ------------------------------------------------------------- */

static void drop_events(struct db_pipe *pipe)
{
	if (pipe->readable != NULL)
		event_free(pipe->readable);
	if (pipe->writable != NULL)
		event_free(pipe->writable);
	pipe->readable = pipe->writable = NULL;
}

static void hang_up(struct db_pipe *pipe)
{
	drop_events(pipe);
	event_del(pipe->timer);
	PQfinish(pipe->conn);
	pipe->conn = NULL;
}

static int64_t backoff_us(unsigned failures)
{
	int64_t delay = BACKOFF_MIN_US;
	for (unsigned i = 1; i < failures && delay < BACKOFF_MAX_US; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_US)
		delay = BACKOFF_MAX_US;
	uint32_t jitter;
	evutil_secure_rng_get_bytes(&jitter, sizeof(jitter));
	return delay / 2 + (int64_t)(jitter % (uint32_t)(delay / 2));
}

/* The connection is lost or was not to be had. One that was up is tried again at
 * once, then with growing delays. */
static void down(struct db_pipe *pipe, const char *why)
{
	bool was_up = db_pipe_up(pipe);
	struct db_list list = pipe->sent;
	if (was_up || pipe->failures <= pipe->pool->db->n_hosts)
		log_write(LOG_LEVEL_WARNING, "database.connection", "class=%d state=%d why=%s",
			  (int)pipe->pool->class, (int)pipe->state, why);
	hang_up(pipe);
	pipe->sent = (struct db_list){ 0 };
	pipe->state = DB_PIPE_WAITING;
	if (was_up) {
		set_timer(pipe, 0);
	} else {
		pipe->failures++;
		/* The other hosts of a round at once. */
		unsigned rounds = pipe->failures / pipe->pool->db->n_hosts;
		bool others = pipe->failures % pipe->pool->db->n_hosts != 0;
		set_timer(pipe, others ? 0 : backoff_us(rounds));
	}
	settle_lost(pipe, list);
	event_active(pipe->pool->db->again, EV_TIMEOUT, 0);
}

static bool make_events(struct db_pipe *pipe, event_callback_fn on_read, short persist,
			event_callback_fn on_write)
{
	struct event_base *base = pipe->pool->db->base;
	int fd = PQsocket(pipe->conn);
	drop_events(pipe);
	pipe->readable = event_new(base, fd, (short)(EV_READ | persist), on_read, pipe);
	pipe->writable = event_new(base, fd, EV_WRITE, on_write, pipe);
	return pipe->readable != NULL && pipe->writable != NULL;
}

/* All statements in one pipeline, so that a connection costs one round trip; with a
 * Sync now and then, since the statement timeout counts from one to the next. */
static void prepare(struct db_pipe *pipe)
{
	PGconn *conn = pipe->conn;
	struct query_set *queries = pipe->pool->db->queries;
	pipe->state = DB_PIPE_PREPARING;
	pipe->prepare_fault = NULL;
	PQsetNoticeReceiver(conn, on_notice, pipe);
	bool sent = PQsetnonblocking(conn, 1) == 0 && PQenterPipelineMode(conn) == 1;
	pipe->syncs = 1; /* the last */
	for (size_t i = 0; sent && i < query_count(queries); i++) {
		const struct query *query = query_at(queries, i);
		sent = PQsendPrepare(conn, query->name, query->sql, (int)query->n_params, NULL) ==
		       1;
		if (sent && i % PREPARED_AT_ONCE == PREPARED_AT_ONCE - 1) {
			pipe->syncs++;
			sent = PQpipelineSync(conn) == 1;
		}
	}
	if (!sent || PQpipelineSync(conn) != 1 ||
	    !make_events(pipe, on_readable, EV_PERSIST, on_writable) ||
	    event_add(pipe->readable, NULL) != 0) {
		down(pipe, db_connect_error(conn));
		return;
	}
	flush_bytes(pipe);
}

static void poll_connect(struct db_pipe *pipe);

static void on_connecting(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	poll_connect(arg);
}

/* libpq may change its socket between two polls, so the events are made anew. */
static void poll_connect(struct db_pipe *pipe)
{
	drop_events(pipe);
	PostgresPollingStatusType status = PQconnectPoll(pipe->conn);
	if (status == PGRES_POLLING_OK) {
		prepare(pipe);
		return;
	}
	bool read = status == PGRES_POLLING_READING, write = status == PGRES_POLLING_WRITING;
	if ((!read && !write) || !make_events(pipe, on_connecting, 0, on_connecting) ||
	    event_add(read ? pipe->readable : pipe->writable, NULL) != 0)
		down(pipe, db_connect_error(pipe->conn));
}

static void attempt(struct db_pipe *pipe)
{
	pipe->state = DB_PIPE_CONNECTING;
	pipe->conn = db_connect_start(pipe->pool->db->conninfo, pipe->pool->options,
				      pipe->failures % pipe->pool->db->n_hosts);
	if (pipe->conn == NULL || PQstatus(pipe->conn) == CONNECTION_BAD ||
	    !make_events(pipe, on_connecting, 0, on_connecting) ||
	    event_add(pipe->writable, NULL) != 0) {
		down(pipe, db_connect_error(pipe->conn));
		return;
	}
	set_timer(pipe, CONNECT_TIMEOUT_US);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct db_pipe *pipe = arg;
	(void)fd;
	(void)what;
	switch (pipe->state) {
	case DB_PIPE_WAITING:
		attempt(pipe);
		break;
	case DB_PIPE_CONNECTING:
	case DB_PIPE_PREPARING:
		down(pipe, "connecting took too long");
		break;
	case DB_PIPE_IDLE:
		break;
	case DB_PIPE_BUSY: {
		int64_t limit = pipe->pool->db->settings.statement_timeout_us[pipe->pool->class] +
				SILENCE_US;
		int64_t silent = mono_us() - pipe->active_us;
		if (silent >= limit)
			down(pipe, "the database is silent");
		else
			set_timer(pipe, limit - silent);
		break;
	}
	}
}

int db_pipe_open(struct db_pipe *pipe, struct db_pool *pool)
{
	*pipe = (struct db_pipe){ .pool = pool, .state = DB_PIPE_WAITING };
	pipe->timer = evtimer_new(pool->db->base, on_timer, pipe);
	if (pipe->timer == NULL)
		return -1;
	set_timer(pipe, 0);
	return 0;
}

void db_pipe_close(struct db_pipe *pipe)
{
	if (pipe->timer == NULL)
		return;
	hang_up(pipe);
	event_free(pipe->timer);
	pipe->timer = NULL;
}

bool db_pipe_up(const struct db_pipe *pipe)
{
	return pipe->state == DB_PIPE_IDLE || pipe->state == DB_PIPE_BUSY;
}

bool db_pipe_hopeful(const struct db_pipe *pipe)
{
	return db_pipe_up(pipe) || pipe->failures < pipe->pool->db->n_hosts;
}
