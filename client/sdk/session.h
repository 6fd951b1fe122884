/* HTTP/2 of a conn through libnghttp2. Bytes in, bytes out; nothing is sent from
 * inside a callback. */
#ifndef ISMS_SDK_SESSION_H
#define ISMS_SDK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct conn;

/* Sets up conn->session; false when out of memory. */
bool session_open(struct conn *conn);
/* Takes bytes of the server; a fault kills the conn. */
void session_feed(struct conn *conn, const uint8_t *data, size_t len);
/* Fills conn->out up to CONN_OUT_ENOUGH; a fault kills the conn. */
void session_pull(struct conn *conn);
/* Whether both sides have nothing more to say on this session: after a goodbye, or
 * a fault of the server that was answered with one. */
bool session_over(const struct conn *conn);
/* Starts a waiting call, or fails it. */
void session_submit(struct conn *conn, struct call *call);
/* len bytes of a watch's stream were taken: the server may send as many. */
void session_taken(struct conn *conn, const struct call *call, size_t len);
/* Gives a call's stream up. The call is to leave the conn at once. */
void session_cancel(struct conn *conn, const struct call *call);

#endif
