/* A client that may misbehave: frames are written by hand, heads as HPACK
 * literals, so that every malformed request can be made. Blocking, with a limit on
 * each wait; what the server sends is taken apart by the library's inflater. */
#ifndef ISMS_TESTS_NET_CLIENT_H
#define ISMS_TESTS_NET_CLIENT_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/tls.h"

enum { WAIT_MS = 5000, ANSWER_DATA = 64 };

struct client {
	int fd;
	SSL_CTX *context;
	struct tls_stream *tls;
	nghttp2_hd_inflater *inflater;
	struct buf in;
	struct buf out;
	size_t credit;  /* of WINDOW_UPDATEs for streams asked about */
	int32_t next;   /* stream */
	bool closed;    /* by the server */
	int64_t goaway; /* code, or -1 */
};

struct field {
	const char *name;
	const char *value;
};

struct answer {
	char http[8];
	char status[8];
	char message[256];
	char details[8192];
	char encoding[16]; /* grpc-accept-encoding */
	uint8_t data[ANSWER_DATA];
	size_t data_len; /* of all, kept or not */
	bool ended;
	int64_t reset; /* code, or -1 */
};

/* Waits for the socket; false after WAIT_MS. */
static inline bool client_wait(struct client *client, enum tls_result result)
{
	struct pollfd fd = { .fd = client->fd,
			     .events = result == TLS_WANT_READ ? POLLIN : POLLOUT };
	return (result == TLS_WANT_READ || result == TLS_WANT_WRITE) && poll(&fd, 1, WAIT_MS) == 1;
}

static inline void client_flush(struct client *client)
{
	enum tls_result result;
	while ((result = tls_write(client->tls, &client->out)) != TLS_DONE) {
		if (!client_wait(client, result)) {
			client->closed = true;
			buf_clear(&client->out);
			return;
		}
	}
}

static inline void client_frame(struct client *client, uint8_t type, uint8_t flags, int32_t stream,
				const void *data, size_t len)
{
	const uint32_t id = (uint32_t)stream;
	const uint8_t head[] = {
		(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,       type,       flags,
		(uint8_t)(id >> 24),  (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id
	};
	buf_add(&client->out, head, sizeof(head));
	buf_add(&client->out, data, len);
}

/* The socket to the port alone. */
static inline int client_connect(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* The handshake over client->fd for a server of that name. */
static enum tls_result client_tls(struct client *client, const char *ca_file, const char *name)
{
	struct arena *arena = arena_new(1 << 16);
	enum tls_result result = TLS_FAILED;
	struct status st = tls_client_context(&client->context, ca_file, arena);
	if (status_ok(&st)) {
		client->tls = tls_stream_new(client->context, client->fd, name);
		while ((result = tls_handshake(client->tls)) != TLS_DONE) {
			if (!client_wait(client, result))
				break;
		}
	}
	arena_free(arena);
	return result;
}

static inline bool client_open(struct client *client, uint16_t port, const char *ca_file)
{
	*client = (struct client){ .next = 1, .goaway = -1, .fd = client_connect(port) };
	buf_init(&client->in, 32 << 20);
	buf_init(&client->out, 32 << 20);
	nghttp2_hd_inflate_new(&client->inflater);
	if (client->fd < 0 || client_tls(client, ca_file, "localhost") != TLS_DONE)
		return false;
	buf_add(&client->out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	client_frame(client, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	client_flush(client);
	return !client->closed;
}

static inline void client_close(struct client *client)
{
	tls_stream_free(client->tls);
	SSL_CTX_free(client->context);
	if (client->inflater != NULL)
		nghttp2_hd_inflate_del(client->inflater);
	buf_done(&client->in);
	buf_done(&client->out);
	close(client->fd);
}

static inline void hpack_text(struct buf *out, const char *text, size_t len)
{
	uint8_t head[4] = { (uint8_t)(len < 127 ? len : 127) };
	size_t n = 1;
	if (len >= 127) {
		for (len -= 127; len >= 128; len >>= 7)
			head[n++] = (uint8_t)(len | 128);
		head[n++] = (uint8_t)len;
		len = strlen(text);
	}
	buf_add(out, head, n);
	buf_add(out, text, len);
}

/* A field with any bytes; literal, not indexed. */
static inline void hpack_field(struct buf *out, const char *name, const char *value, size_t len)
{
	buf_add(out, "", 1);
	hpack_text(out, name, strlen(name));
	hpack_text(out, value, len);
}

/* Sends a head of exactly these fields (until a NULL name); returns its stream. */
static inline int32_t client_head(struct client *client, const struct field *fields, bool end)
{
	struct buf block;
	int32_t stream = client->next;
	client->next += 2;
	buf_init(&block, 1 << 16);
	for (; fields->name != NULL; fields++)
		hpack_field(&block, fields->name, fields->value, strlen(fields->value));
	client_frame(client, NGHTTP2_HEADERS,
		     NGHTTP2_FLAG_END_HEADERS | (end ? NGHTTP2_FLAG_END_STREAM : 0), stream,
		     buf_bytes(&block), buf_len(&block));
	buf_done(&block);
	client_flush(client);
	return stream;
}

/* A well-formed head, with up to one more field. */
static inline int32_t client_call(struct client *client, const char *path, struct field extra)
{
	const struct field fields[] = { { ":method", "POST" },
					{ ":scheme", "https" },
					{ ":path", path },
					{ ":authority", "localhost" },
					{ "content-type", "application/grpc" },
					{ "te", "trailers" },
					extra,
					{ NULL, NULL } };
	return client_head(client, fields, false);
}

static inline void client_data(struct client *client, int32_t stream, const void *data, size_t len,
			       bool end)
{
	const uint8_t *at = data;
	for (; len > 16384; at += 16384, len -= 16384)
		client_frame(client, NGHTTP2_DATA, 0, stream, at, 16384);
	client_frame(client, NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0, stream, at, len);
	client_flush(client);
}

/* One message, complete. */
static inline void client_message(struct client *client, int32_t stream, const char *text, bool end)
{
	struct buf message;
	size_t len = strlen(text);
	const uint8_t prefix[] = { 0, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
				   (uint8_t)(len >> 8), (uint8_t)len };
	buf_init(&message, 4 << 20);
	buf_add(&message, prefix, sizeof(prefix));
	buf_add(&message, text, len);
	client_data(client, stream, buf_bytes(&message), buf_len(&message), end);
	buf_done(&message);
}

static void keep(char *out, size_t cap, const nghttp2_nv *nv, const char *name)
{
	if (nv->namelen == strlen(name) && memcmp(nv->name, name, nv->namelen) == 0)
		snprintf(out, cap, "%.*s", (int)nv->valuelen, (const char *)nv->value);
}

static void take_head(struct client *client, struct answer *answer, const uint8_t *data, size_t len)
{
	for (;;) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t n = nghttp2_hd_inflate_hd2(client->inflater, &nv, &flags, data, len, 1);
		if (n < 0)
			return;
		data += n;
		len -= (size_t)n;
		if (answer != NULL && (flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
			keep(answer->http, sizeof(answer->http), &nv, ":status");
			keep(answer->status, sizeof(answer->status), &nv, "grpc-status");
			keep(answer->message, sizeof(answer->message), &nv, "grpc-message");
			keep(answer->details, sizeof(answer->details), &nv,
			     "grpc-status-details-bin");
			keep(answer->encoding, sizeof(answer->encoding), &nv,
			     "grpc-accept-encoding");
		}
		if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
			nghttp2_hd_inflate_end_headers(client->inflater);
			return;
		}
	}
}

static inline bool client_fill(struct client *client, size_t want)
{
	while (buf_len(&client->in) < want) {
		uint8_t data[16384];
		size_t len = 0;
		enum tls_result result = tls_read(&len, client->tls, data, sizeof(data));
		if (result == TLS_DONE)
			buf_add(&client->in, data, len);
		else if (result == TLS_CLOSED || result == TLS_FAILED)
			client->closed = true;
		if (client->closed || (result != TLS_DONE && !client_wait(client, result)))
			return false;
	}
	return true;
}

/* Takes one frame; what belongs to the stream goes into answer. false: nothing
 * came in time, or the connection is closed. */
static inline bool client_step(struct client *client, struct answer *answer, int32_t stream)
{
	if (!client_fill(client, 9))
		return false;
	const uint8_t *head = buf_bytes(&client->in);
	size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
	if (!client_fill(client, 9 + len))
		return false;
	head = buf_bytes(&client->in);
	const uint8_t *data = head + 9;
	int32_t id = (int32_t)((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 |
			       (uint32_t)head[7] << 8 | head[8]);
	struct answer *own = id == stream ? answer : NULL;
	if (head[3] == NGHTTP2_GOAWAY)
		client->goaway = (int64_t)data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7];
	if (head[3] == NGHTTP2_HEADERS)
		take_head(client, own, data, len);
	if (own != NULL && head[3] == NGHTTP2_WINDOW_UPDATE)
		client->credit += (size_t)data[0] << 24 | (size_t)data[1] << 16 |
				  (size_t)data[2] << 8 | data[3];
	if (own != NULL && head[3] == NGHTTP2_RST_STREAM)
		own->reset = (int64_t)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
	if (own != NULL && head[3] == NGHTTP2_DATA) {
		if (own->data_len < ANSWER_DATA)
			memcpy(own->data + own->data_len, data,
			       len < ANSWER_DATA - own->data_len ? len
								 : ANSWER_DATA - own->data_len);
		own->data_len += len;
	}
	if (own != NULL && head[3] <= NGHTTP2_HEADERS && (head[4] & NGHTTP2_FLAG_END_STREAM) != 0)
		own->ended = true;
	buf_consume(&client->in, 9 + len);
	return true;
}

/* Everything until the stream ends or is reset. */
static inline struct answer client_answer(struct client *client, int32_t stream)
{
	struct answer answer = { .reset = -1 };
	while (!answer.ended && answer.reset < 0 && client_step(client, &answer, stream))
		;
	return answer;
}

/* Whether the server closes the connection, in time. */
static inline bool client_ends(struct client *client)
{
	struct answer none = { .reset = -1 };
	while (client_step(client, &none, -1))
		;
	return client->closed;
}

#endif
