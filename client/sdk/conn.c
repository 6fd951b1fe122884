/* What a connection is, and why it has died; see conn.h. */
#include "client/sdk/conn.h"

#include <stdarg.h>
#include <stdio.h>

#include "client/sdk/call.h"

void conn_die(struct conn *conn, enum status_code code, const char *reason, const char *format, ...)
{
	if (conn->state == CONN_DEAD) {
		return;
	}
	conn->was_open = conn->state == CONN_OPEN;
	conn->state = CONN_DEAD;
	conn->code = code;
	conn->reason = reason;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(conn->text, sizeof(conn->text), format, args);
	va_end(args);
	if (n < 0) {
		conn->text[0] = '\0';
	}
}

void conn_die_of_memory(struct conn *conn)
{
	conn_die(conn, STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "out of memory");
	conn->final = true;
}

struct status conn_status(const struct conn *conn)
{
	return status_make(conn->code, conn->reason, conn->text);
}

bool conn_usable(const struct conn *conn)
{
	return conn->state == CONN_OPEN && !conn->draining;
}

bool conn_idle(const struct conn *conn)
{
	for (const struct call *call = *conn->calls; call != NULL; call = call->next) {
		if (call->conn == conn) {
			return false;
		}
	}
	return true;
}
