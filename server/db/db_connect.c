/* Settings go with the start of a connection, so that there is no moment without
 * them. None of them says who is calling: statements of many callers share a
 * connection. */
#include "server/db/db_connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"

enum { LOCK_TIMEOUT_MS = 2000, IDLE_IN_TRANSACTION_MS = 10000 };

static const int64_t RETRY_US = 1000000;

static const char *given(const PQconninfoOption *options, const char *keyword)
{
	for (; options != NULL && options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0 && options->val != NULL)
			return options->val;
	return "";
}

char *db_connect_options(const char *conninfo, int64_t statement_timeout_us, bool one_moment)
{
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
	char *text = NULL;
	if (parsed == NULL)
		return NULL;
	int64_t timeout_ms = statement_timeout_us > 0 && statement_timeout_us < 1000
				     ? 1
				     : statement_timeout_us / 1000;
	if (asprintf(&text,
		     "%s -c statement_timeout=%" PRId64 " -c lock_timeout=%d"
		     " -c idle_in_transaction_session_timeout=%d"
		     " -c plan_cache_mode=force_generic_plan -c jit=off"
		     " -c default_transaction_isolation=%s"
		     " -c search_path=" DB_SCHEMA,
		     given(parsed, "options"), timeout_ms, LOCK_TIMEOUT_MS, IDLE_IN_TRANSACTION_MS,
		     one_moment ? "repeatable\\ read" : "read\\ committed") < 0)
		text = NULL;
	PQconninfoFree(parsed);
	return text;
}

/* Later keywords win: what conninfo may choose stands before it. */
struct keywords {
	const char *names[12];
	const char *values[12];
};

static struct keywords keywords_make(const char *conninfo, const char *options)
{
	return (struct keywords){
		.names = { "tcp_user_timeout", "connect_timeout", "dbname", "application_name",
			   "client_encoding", "options", NULL },
		.values = { "15000", "5", conninfo, "ismsd", "UTF8", options, NULL },
	};
}

/* --- one of several hosts ----------------------------------------------------- */

static unsigned list_length(const char *list)
{
	unsigned n = 1;
	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* The element of a list at an index, the only one at any; NULL when out of memory. */
static char *list_element(const char *list, unsigned i)
{
	if (list_length(list) == 1)
		i = 0;
	for (; i > 0 && *list != '\0'; list++)
		i -= *list == ',';
	return strndup(list, strcspn(list, ","));
}

static const char *hosts_of(const PQconninfoOption *parsed)
{
	const char *addresses = given(parsed, "hostaddr");
	return addresses[0] != '\0' ? addresses : given(parsed, "host");
}

unsigned db_connect_hosts(const char *conninfo)
{
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
	unsigned n = list_length(hosts_of(parsed));
	PQconninfoFree(parsed);
	return n;
}

PGconn *db_connect_start(const char *conninfo, const char *options, unsigned host)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };
	enum { LISTS = sizeof(lists) / sizeof(lists[0]) };
	struct keywords keywords = keywords_make(conninfo, options);
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
	char *elements[LISTS] = { NULL };
	bool made = true;
	size_t n = 0;
	while (keywords.names[n] != NULL)
		n++;
	/* What is malformed libpq says of the whole. */
	for (size_t i = 0; i < LISTS && list_length(hosts_of(parsed)) > 1; i++) {
		elements[i] = list_element(given(parsed, lists[i]), host);
		made = made && elements[i] != NULL;
		keywords.names[n] = lists[i];
		keywords.values[n++] = elements[i];
	}
	PGconn *conn = made ? PQconnectStartParams(keywords.names, keywords.values, 1) : NULL;
	for (size_t i = 0; i < LISTS; i++)
		free(elements[i]);
	PQconninfoFree(parsed);
	return conn;
}

const char *db_connect_error(const PGconn *conn)
{
	static char line[256];
	const char *text = conn == NULL ? "out of memory" : PQerrorMessage(conn);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

struct status db_connect_wait(PGconn **out, const char *conninfo, struct arena *arena)
{
	char *options = db_connect_options(conninfo, 0, false);
	if (options == NULL)
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "CONNINFO",
				   "the connection string of the database is malformed");
	struct keywords keywords = keywords_make(conninfo, options);
	PGconn *conn = PQconnectdbParams(keywords.names, keywords.values, 1);
	free(options);
	if (PQstatus(conn) == CONNECTION_OK) {
		*out = conn;
		return STATUS_OK;
	}
	log_write(LOG_LEVEL_WARNING, "database.unreachable", "why=%s", db_connect_error(conn));
	PQfinish(conn);
	struct status st = status_make(STATUS_CODE_UNAVAILABLE, "DATABASE_UNAVAILABLE",
				       "the database cannot be reached");
	status_set_retry(&st, arena, RETRY_US);
	return st;
}
