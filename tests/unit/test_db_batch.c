/* Batches over working connections: sharing, errors, atomicity. */
#include "db_fixture.h"

enum { MANY = 3000 };

static struct call calls[MANY];

static bool all_done(size_t n)
{
	int64_t until = mono_us() + 30000000;
	for (size_t i = 0; i < n; i++)
		while (!calls[i].done && mono_us() < until)
			turn();
	return CHECK(n == 0 || calls[n - 1].done);
}

TEST(each_of_thousands_gets_its_own_answer)
{
	static char values[MANY][16];
	fixture_begin();
	for (int i = 0; i < MANY; i++) {
		snprintf(values[i], sizeof(values[i]), "v%d", i);
		calls[i] = (struct call){ 0 };
		call_add(&calls[i], "echo", values[i]);
		if (i % 3 == 0)
			call_add(&calls[i], "echo", "second");
		call_submit(&calls[i], i % 5 == 0 ? QUERY_LIST : QUERY_POINT);
	}
	all_done(MANY);
	for (int i = 0; i < MANY; i++) {
		if (!status_ok(&calls[i].st) || strcmp(calls[i].value, values[i]) != 0 ||
		    calls[i].times != 1)
			CHECK_STR(calls[i].value, values[i]);
		call_free(&calls[i]);
	}
	fixture_end();
}

TEST(the_innocent_are_sent_again_when_a_neighbour_fails)
{
	fixture_begin();
	for (int i = 0; i < 200; i++) {
		calls[i] = (struct call){ 0 };
		call_add(&calls[i], "echo", "fine");
		call_add(&calls[i], "divide", i % 7 == 3 ? "0" : "2");
		call_submit(&calls[i], QUERY_POINT);
	}
	all_done(200);
	unsigned again = 0;
	for (int i = 0; i < 200; i++) {
		bool guilty = i % 7 == 3;
		CHECK_INT(calls[i].times, 1);
		CHECK_INT(calls[i].st.code, guilty ? STATUS_CODE_INVALID_ARGUMENT : STATUS_CODE_OK);
		CHECK_STR(calls[i].value, guilty ? "" : "fine");
		again += calls[i].batch.retried;
		call_free(&calls[i]);
	}
	CHECK(again > 0);
	fixture_end();
}

TEST(a_commit_is_all_or_nothing)
{
	struct call call = { 0 };
	fixture_begin();
	call_add(&call, "put", "one");
	call_add(&call, "put", "two");
	call_add(&call, "put", "one");
	call_submit(&call, QUERY_COMMIT);
	call_wait(&call);
	CHECK_INT(call.st.code, STATUS_CODE_ALREADY_EXISTS);
	CHECK_STR(call.st.reason, "ALREADY_EXISTS");
	call_free(&call);
	CHECK_STR(pg_sql("postgres", "SELECT count(*) FROM isms.item"), "0");
	call_add(&call, "put", "one");
	call_add(&call, "put", "two");
	call_submit(&call, QUERY_COMMIT);
	call_wait(&call);
	CHECK(status_ok(&call.st));
	call_free(&call);
	CHECK_STR(pg_sql("postgres", "SELECT count(*) FROM isms.item"), "2");
	fixture_end();
}

TEST(a_guard_that_misses_is_a_lost_race)
{
	struct call call = { 0 };
	fixture_begin();
	call_add(&call, "put", "one");
	call_add(&call, "must", "0");
	call_submit(&call, QUERY_COMMIT);
	call_wait(&call);
	CHECK_INT(call.st.code, STATUS_CODE_ABORTED);
	CHECK_STR(call.st.reason, "SERIALIZATION_FAILURE");
	CHECK(!call.batch.outcome_unknown);
	call_free(&call);
	CHECK_STR(pg_sql("postgres", "SELECT count(*) FROM isms.item"), "0");
	call_one(&call, QUERY_COMMIT, "must", "1");
	CHECK(status_ok(&call.st));
	call_free(&call);
	fixture_end();
}

TEST(a_constraint_that_the_commit_checks_fails_the_batch)
{
	struct call call = { 0 };
	fixture_begin();
	for (int i = 0; i < 5; i++) {
		call_add(&call, "put", "parent");
		call_add(&call, "put_child", "orphan");
		call_submit(&call, QUERY_COMMIT);
		call_wait(&call);
		CHECK_INT(call.st.code, STATUS_CODE_FAILED_PRECONDITION);
		CHECK_STR(call.st.reason, "REFERENCE_NOT_FOUND");
		CHECK(!call.batch.outcome_unknown);
		call_free(&call);
	}
	CHECK_STR(pg_sql("postgres", "SELECT count(*) FROM isms.item"), "0");
	call_add(&call, "put_child", "parent");
	call_add(&call, "put", "parent");
	call_submit(&call, QUERY_COMMIT);
	call_wait(&call);
	CHECK(status_ok(&call.st));
	call_free(&call);
	fixture_end();
}

TEST(a_slow_statement_is_stopped_and_its_neighbours_are_not)
{
	fixture_begin();
	for (int i = 0; i < 6; i++) {
		calls[i] = (struct call){ 0 };
		call_add(&calls[i], i == 2 ? "nap" : "echo", i == 2 ? "30" : "fine");
		call_submit(&calls[i], QUERY_LIST);
	}
	all_done(6);
	for (int i = 0; i < 6; i++) {
		CHECK_INT(calls[i].st.code,
			  i == 2 ? STATUS_CODE_DEADLINE_EXCEEDED : STATUS_CODE_OK);
		call_free(&calls[i]);
	}
	fixture_end();
}

TEST(a_full_queue_and_a_full_arena_refuse)
{
	fixture_begin();
	db_free(db);
	struct db_settings settings = fixture_settings();
	settings.queue_max = 3;
	db = db_new(base, queries, &settings);
	wait_ready(true);
	for (int i = 0; i < 5; i++) {
		calls[i] = (struct call){ 0 };
		call_add(&calls[i], "echo", "fine");
		call_submit(&calls[i], QUERY_POINT);
		CHECK(!calls[i].done);
	}
	all_done(5);
	for (int i = 0; i < 5; i++) {
		CHECK_INT(calls[i].st.code, i < 3 ? STATUS_CODE_OK : STATUS_CODE_UNAVAILABLE);
		if (i >= 3 && CHECK(calls[i].st.details != NULL))
			CHECK(calls[i].st.details->retry_after_us > 0);
		call_free(&calls[i]);
	}
	struct call call = { 0 };
	call_add(&call, "echo", "fine");
	call_submit(&call, QUERY_POINT);
	call_wait(&call);
	call_free(&call);
	fixture_end();
}

TEST(batches_in_flight_are_dropped_with_the_db)
{
	struct call call = { 0 };
	fixture_begin();
	call_add(&call, "echo", "got");
	call_add(&call, "nap", "1");
	call_submit(&call, QUERY_POINT);
	for (int i = 0; i < 10; i++)
		turn();
	CHECK(!call.done);
	fixture_end();
	CHECK_INT(call.times, 0);
	call_free(&call);
}

TEST(the_session_has_our_settings)
{
	struct call call;
	fixture_begin();
	call_one(&call, QUERY_POINT, "work_mem", NULL);
	CHECK_STR(call.value, "isms");
	call_free(&call);
	/* those of the tests before may still be going away */
	const char *count = "";
	for (int i = 0; i < 100 && strcmp(count, "6") != 0; i++) {
		usleep(20000);
		count = pg_sql("postgres", "SELECT count(*) FROM pg_stat_activity "
					   "WHERE application_name = 'ismsd'");
	}
	CHECK_STR(count, "6");
	fixture_end();
}

TAP_MAIN
