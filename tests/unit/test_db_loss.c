/* Lost connections, lost servers, outcomes that nobody knows. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "db_fixture.h"

#define KILL_ALL                                                                                   \
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "                           \
	"WHERE application_name = 'ismsd'"

#define COUNT_ALL "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ismsd'"

/* The connection that naps, once it does. */
static void kill_napper(void)
{
	const char *killed = "0";
	for (int i = 0; i < 300 && strcmp(killed, "0") == 0; i++) {
		turn();
		killed = pg_sql("postgres", "SELECT count(pg_terminate_backend(pid)) "
					    "FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
	}
	CHECK_STR(killed, "1");
}

static void turns(int n)
{
	while (n-- > 0)
		turn();
}

TEST(a_killed_read_is_sent_again)
{
	struct call call = { 0 };
	fixture_begin();
	call_add(&call, "echo", "alive");
	call_add(&call, "nap", "0.5");
	call_submit(&call, QUERY_POINT);
	kill_napper();
	call_wait(&call);
	CHECK(status_ok(&call.st));
	CHECK_STR(call.value, "alive");
	CHECK(call.batch.retried);
	call_free(&call);
	fixture_end();
}

TEST(a_statement_that_kills_its_connection_takes_nobody_along)
{
	struct call killer = { 0 }, neighbour = { 0 };
	fixture_begin();
	call_add(&neighbour, "echo", "alive");
	call_add(&killer, "die", NULL);
	call_submit(&killer, QUERY_LIST);
	call_submit(&neighbour, QUERY_LIST);
	call_wait(&killer);
	call_wait(&neighbour);
	CHECK_INT(killer.st.code, STATUS_CODE_UNAVAILABLE);
	CHECK(status_ok(&neighbour.st));
	call_free(&killer);
	call_free(&neighbour);
	fixture_end();
}

TEST(a_commit_that_provably_failed_is_sent_again)
{
	struct call call = { 0 };
	fixture_begin();
	call_add(&call, "put", "once");
	call_add(&call, "nap", "0.5");
	call_submit(&call, QUERY_COMMIT);
	kill_napper();
	call_wait(&call);
	CHECK(status_ok(&call.st));
	CHECK(call.batch.retried && !call.batch.outcome_unknown);
	call_free(&call);
	CHECK_STR(pg_sql("postgres", "SELECT count(*) FROM isms.item"), "1");
	fixture_end();
}

/* A commit that waits for a standby that never comes, ended by how. */
static void commit_in_doubt(const char *how)
{
	struct call call = { 0 };
	char sql[256];
	pg_sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	pg_sql("postgres", "SELECT pg_reload_conf()");
	turns(10);
	call_add(&call, "put", how);
	call_submit(&call, QUERY_COMMIT);
	turns(15);
	CHECK(!call.done);
	snprintf(sql, sizeof(sql),
		 "SELECT count(%s(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", how);
	CHECK_STR(pg_sql("postgres", sql), "1");
	call_wait(&call);
	CHECK_INT(call.st.code, STATUS_CODE_UNKNOWN);
	CHECK_STR(call.st.reason, "OUTCOME_UNKNOWN");
	CHECK(call.batch.outcome_unknown);
	CHECK_INT(call.times, 1);
	call_free(&call);
	pg_sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
	pg_sql("postgres", "SELECT pg_reload_conf()");
}

TEST(a_commit_whose_connection_is_lost_has_an_unknown_outcome)
{
	fixture_begin();
	commit_in_doubt("pg_terminate_backend");
	fixture_end();
}

TEST(a_commit_that_is_only_local_has_an_unknown_outcome)
{
	fixture_begin();
	commit_in_doubt("pg_cancel_backend");
	struct call call;
	turns(10);
	call_one(&call, QUERY_COMMIT, "put", "after");
	CHECK(status_ok(&call.st));
	call_free(&call);
	fixture_end();
}

TEST(without_a_server_calls_are_answered_and_connections_come_back)
{
	struct call call;
	fixture_begin();
	pg_server_stop(SIGQUIT);
	wait_ready(false);
	for (int i = 0; i < QUERY_CLASSES; i++) {
		int64_t start = mono_us();
		call_one(&call, (enum query_class)i, "echo", "x");
		CHECK_INT(call.st.code, STATUS_CODE_UNAVAILABLE);
		CHECK_STR(call.st.reason, "DATABASE_UNAVAILABLE");
		CHECK(call.st.details != NULL && call.st.details->retry_after_us > 0);
		CHECK(!call.batch.outcome_unknown);
		CHECK(mono_us() - start < 2000000);
		call_free(&call);
	}
	pg_server_start();
	wait_ready(true);
	for (int i = 0; i < QUERY_CLASSES; i++) {
		call_one(&call, (enum query_class)i, "echo", "back");
		CHECK(status_ok(&call.st));
		CHECK_STR(call.value, "back");
		call_free(&call);
	}
	fixture_end();
}

TEST(idle_connections_that_were_killed_do_no_harm)
{
	struct call call;
	fixture_begin();
	for (int i = 0; i < 8; i++) {
		char value[16];
		snprintf(value, sizeof(value), "v%d", i);
		/* one that is still starting up is not found the first time */
		do {
			pg_sql("postgres", KILL_ALL);
			usleep(1000);
		} while (strcmp(pg_sql("postgres", COUNT_ALL), "0") != 0);
		usleep(100000); /* the sockets close a little later */
		call_one(&call, QUERY_COMMIT, "put", value);
		/* at worst every connection was found dead: never in doubt */
		if (!CHECK(status_ok(&call.st) || call.st.code == STATUS_CODE_UNAVAILABLE))
			printf("# %s: %s\n", call.st.reason, call.st.message);
		call_free(&call);
		call_one(&call, QUERY_POINT, "echo", "x");
		if (!CHECK(status_ok(&call.st) || call.st.code == STATUS_CODE_UNAVAILABLE))
			printf("# %s: %s\n", call.st.reason, call.st.message);
		call_free(&call);
		wait_ready(true);
	}
	fixture_end();
}

TEST(a_plan_that_became_invalid_is_prepared_anew)
{
	struct call call;
	fixture_begin();
	call_one(&call, QUERY_LIST, "shape", NULL);
	CHECK(status_ok(&call.st));
	call_free(&call);
	pg_sql("postgres", "ALTER TABLE isms.shape ADD COLUMN b text DEFAULT 'new'");
	call_one(&call, QUERY_LIST, "shape", NULL);
	CHECK(status_ok(&call.st));
	CHECK(call.items[0].result != NULL && PQnfields(call.items[0].result) == 2);
	call_free(&call);
	fixture_end();
}

TEST(a_connection_that_cannot_prepare_is_not_used)
{
	struct call call;
	fixture_begin();
	pg_sql("postgres", "ALTER SCHEMA isms RENAME TO gone");
	pg_sql("postgres", KILL_ALL);
	wait_ready(false);
	turns(20);
	CHECK(!db_ready(db));
	call_one(&call, QUERY_POINT, "echo", "x");
	CHECK_INT(call.st.code, STATUS_CODE_UNAVAILABLE);
	call_free(&call);
	pg_sql("postgres", "ALTER SCHEMA gone RENAME TO isms");
	wait_ready(true);
	call_one(&call, QUERY_POINT, "echo", "x");
	CHECK(status_ok(&call.st));
	call_free(&call);
	fixture_end();
}

/* A port that takes connections and says nothing, as a host behind a black hole. */
static int silent_port(int *out_fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*out_fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(bind(*out_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(*out_fd, 16), 0);
	CHECK_INT(getsockname(*out_fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

TEST(a_host_that_does_not_answer_gives_way_to_the_next)
{
	struct call call = { 0 };
	char conninfo[512];
	int fd = -1;
	fixture_begin();
	db_free(db);
	snprintf(conninfo, sizeof(conninfo),
		 "host=127.0.0.1,%s port=%d,5432 user=postgres dbname=%s", pg.folder,
		 silent_port(&fd), "postgres");
	struct db_settings settings = fixture_settings();
	settings.conninfo = conninfo;
	db = db_new(base, queries, &settings);
	/* Who asks meanwhile waits for the second host, too. */
	call_one(&call, QUERY_POINT, "echo", "x");
	CHECK(status_ok(&call.st));
	call_free(&call);
	wait_ready(true);
	close(fd);
	fixture_end();
}

enum { STREAM = 3000, WINDOW = 40 };

/* Commits without pause while connections are killed: what is said is true. */
TEST(acknowledged_is_stored_and_refused_is_not)
{
	static struct call calls[STREAM];
	static char values[STREAM][16];
	unsigned good = 0, unknown = 0, refused = 0;
	int next = 0, oldest = 0;
	fixture_begin();
	while (oldest < STREAM) {
		for (; next < STREAM && next < oldest + WINDOW; next++) {
			snprintf(values[next], sizeof(values[next]), "k%d", next);
			call_add(&calls[next], "put", values[next]);
			call_add(&calls[next], "must", "1");
			call_submit(&calls[next], QUERY_COMMIT);
			if (next % 250 == 249)
				pg_sql("postgres", KILL_ALL);
		}
		call_wait(&calls[oldest++]);
	}
	PGconn *conn = PQconnectdb(pg_conninfo("postgres"));
	for (int i = 0; i < STREAM; i++) {
		const char *value[] = { values[i] };
		PGresult *result = PQexecParams(conn, "SELECT 1 FROM isms.item WHERE body = $1", 1,
						NULL, value, NULL, NULL, 0);
		int stored = PQntuples(result);
		PQclear(result);
		good += status_ok(&calls[i].st);
		unknown += calls[i].batch.outcome_unknown;
		refused += calls[i].st.code == STATUS_CODE_UNAVAILABLE;
		if (status_ok(&calls[i].st))
			stored == 1 ? (void)0 : (void)CHECK_INT(stored, 1);
		else if (!calls[i].batch.outcome_unknown)
			stored == 0 ? (void)0 : (void)CHECK_INT(stored, 0);
		if (calls[i].times != 1)
			CHECK_INT(calls[i].times, 1);
		call_free(&calls[i]);
	}
	PQfinish(conn);
	printf("# %u stored, %u unknown, %u refused\n", good, unknown, refused);
	CHECK_INT(good + unknown + refused, STREAM);
	CHECK(good > STREAM * 9 / 10);
	fixture_end();
}

TAP_MAIN
