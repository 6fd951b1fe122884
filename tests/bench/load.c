/* A closed-loop load generator for unary gRPC: N connections with M calls in
 * flight each, TLS 1.3, every reply's grpc-status checked. Calls come from a file,
 * one a line: token ("-" for none), blank, the message in hexadecimal.
 *
 * It shares the machine with what it measures, so it is thin: HTTP/2 frames are
 * written by hand, only the headers of replies go through nghttp2's inflater.
 * Bounded by time, by a number of calls, and, with -1, by the lines of the file.
 *
 * Prints "begin" when the warm-up is over, "end" when the time is, and then one
 * line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/calls.h"
#include "tests/bench/histogram.h"

enum {
	CONNS_MAX = 1024,
	STREAMS_MAX = 1024,
	BLOCK_MAX = 1024, /* headers of a call */
	IN_MAX = 1 << 20, /* bytes of a reply's unfinished frame */
	READ_MAX = 1 << 17,
	OUT_MAX = 1 << 20,
	WINDOW = 65535, /* what HTTP/2 lets us send at first */
	REFILL = 1 << 22,
	DRAIN_US = 10000000,
	TEXT_MAX = 200,
};

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

struct slot {
	uint32_t stream;
	int64_t begun_us;
	bool busy, status_ok, has_data;
};

struct conn {
	int fd;
	SSL *ssl;
	nghttp2_hd_inflater *inflater;
	struct slot *slots;
	uint32_t next_stream;
	int64_t window; /* bytes that may be sent */
	uint32_t taken; /* bytes received since the last refill */
	bool greeted;   /* the fixed headers are in the dynamic table */
	bool wants_write;
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len, out_sent;
};

static struct {
	const char *host, *ca, *path, *file;
	uint16_t port;
	int conns, streams;
	double warm, seconds;
	bool once;
	uint64_t limit;
} options = {
	.host = "127.0.0.1",
	.conns = 1,
	.streams = 1,
	.warm = 0.3,
	.seconds = 2,
	.limit = 1 << 30,
};

static size_t next_call;
static struct conn *conns;
static int poller;
static bool counting, closing;
static uint64_t started, finished, done, errors;
static char first_error[TEXT_MAX];

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- frames out -------------------------------------------------------------- */

static void put(struct conn *conn, const void *data, size_t len)
{
	if (conn->out_len + len > OUT_MAX)
		die("too much waits to be sent");
	memcpy(conn->out + conn->out_len, data, len);
	conn->out_len += len;
}

static void put_u32(uint8_t *out, uint32_t value)
{
	uint32_t big = htonl(value);
	memcpy(out, &big, sizeof(big));
}

static void put_frame(struct conn *conn, int type, int flags, uint32_t stream, const uint8_t *data,
		      size_t len)
{
	uint8_t head[9] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type,
			    (uint8_t)flags };
	put_u32(head + 5, stream);
	put(conn, head, sizeof(head));
	put(conn, data, len);
}

/* A literal of HPACK, not Huffman-coded; strings are shorter than 127 bytes. */
static uint8_t *put_text(uint8_t *out, const char *text)
{
	size_t len = strlen(text);
	if (len > 126)
		die("a header is too long");
	*out++ = (uint8_t)len;
	memcpy(out, text, len);
	return out + len;
}

/* The headers that never change go into the dynamic table with the first call of a
 * connection; the token is sent anew each time, as calls of many users share it. */
static size_t put_block(uint8_t block[BLOCK_MAX], struct conn *conn, const char *token)
{
	uint8_t *out = block;
	*out++ = 0x83; /* :method POST */
	*out++ = 0x87; /* :scheme https */
	if (!conn->greeted) {
		*out++ = 0x44; /* :path */
		out = put_text(out, options.path);
		*out++ = 0x41; /* :authority */
		out = put_text(out, "localhost");
		*out++ = 0x40;
		out = put_text(out, "te");
		out = put_text(out, "trailers");
		*out++ = 0x5f; /* content-type */
		out = put_text(out, "application/grpc");
		conn->greeted = true;
	} else {
		for (uint8_t index = 0xc1; index != 0xbd; index--)
			*out++ = index; /* 65 … 62: path, authority, te, content-type */
	}
	if (token[0] != '\0') {
		*out++ = 0x0f; /* authorization, not indexed */
		*out++ = 23 - 15;
		char value[TOKEN_MAX + 8];
		snprintf(value, sizeof(value), "Bearer %s", token);
		out = put_text(out, value);
	}
	return (size_t)(out - block);
}

static const struct call *take_call(void)
{
	if (closing || started >= options.limit || (options.once && next_call == n_calls))
		return NULL;
	return &calls[next_call++ % n_calls];
}

static void start(struct conn *conn, struct slot *slot)
{
	const struct call *call = take_call();
	slot->busy = call != NULL;
	if (call == NULL)
		return;
	started++;
	slot->stream = conn->next_stream;
	conn->next_stream += 2;
	slot->begun_us = now_us();
	slot->status_ok = slot->has_data = false;
	uint8_t block[BLOCK_MAX], body[MESSAGE_MAX + 5] = { 0 };
	put_frame(conn, HEADERS, END_HEADERS, slot->stream, block,
		  put_block(block, conn, call->token));
	put_u32(body + 1, (uint32_t)call->len);
	memcpy(body + 5, call->message, call->len);
	conn->window -= (int64_t)call->len + 5;
	if (conn->window < 0)
		die("the server does not open its window");
	put_frame(conn, DATA, END_STREAM, slot->stream, body, call->len + 5);
}

/* --- frames in --------------------------------------------------------------- */

static void finish(struct conn *conn, struct slot *slot, const char *why)
{
	bool ok = slot->status_ok && slot->has_data;
	finished++;
	if (counting) {
		done++;
		histogram_add(now_us() - slot->begun_us);
	}
	if (!ok) {
		errors++;
		if (first_error[0] == '\0')
			snprintf(first_error, sizeof(first_error), "%s", why);
	}
	start(conn, slot);
}

static struct slot *find_slot(struct conn *conn, uint32_t stream)
{
	for (int i = 0; i < options.streams; i++)
		if (conn->slots[i].busy && conn->slots[i].stream == stream)
			return &conn->slots[i];
	return NULL;
}

static void note_header(struct slot *slot, char why[TEXT_MAX], const nghttp2_nv *nv)
{
	if (nv->namelen == 11 && memcmp(nv->name, "grpc-status", 11) == 0) {
		slot->status_ok = nv->valuelen == 1 && nv->value[0] == '0';
		snprintf(why, TEXT_MAX, "grpc-status %.*s", (int)nv->valuelen,
			 (const char *)nv->value);
	} else if (nv->namelen == 12 && memcmp(nv->name, "grpc-message", 12) == 0) {
		size_t len = strlen(why);
		snprintf(why + len, TEXT_MAX - len, " %.*s", (int)nv->valuelen,
			 (const char *)nv->value);
	}
}

/* The inflater must see every block, also of streams that are no more. */
static void take_headers(struct conn *conn, struct slot *slot, int flags, const uint8_t *data,
			 size_t len)
{
	struct slot nobody = { 0 };
	char why[TEXT_MAX] = "no grpc-status";
	if ((flags & (PADDED | HAS_PRIORITY)) != 0 || (flags & END_HEADERS) == 0)
		die("headers of a kind that is not expected");
	for (;;) {
		nghttp2_nv nv;
		int found = 0;
		ssize_t used = nghttp2_hd_inflate_hd2(conn->inflater, &nv, &found, data, len, 1);
		if (used < 0)
			die("headers that cannot be read");
		data += used;
		len -= (size_t)used;
		if ((found & NGHTTP2_HD_INFLATE_EMIT) != 0)
			note_header(slot == NULL ? &nobody : slot, why, &nv);
		if ((found & NGHTTP2_HD_INFLATE_FINAL) != 0)
			break;
		if ((found & NGHTTP2_HD_INFLATE_EMIT) == 0 && len == 0)
			break;
	}
	nghttp2_hd_inflate_end_headers(conn->inflater);
	if (slot != NULL && (flags & END_STREAM) != 0)
		finish(conn, slot, why);
}

static void take_data(struct conn *conn, struct slot *slot, int flags, size_t len)
{
	conn->taken += (uint32_t)len;
	if (conn->taken > REFILL) {
		uint8_t grant[4];
		put_u32(grant, conn->taken);
		put_frame(conn, WINDOW_UPDATE, 0, 0, grant, sizeof(grant));
		conn->taken = 0;
	}
	if (slot == NULL)
		return;
	slot->has_data = slot->has_data || len > 0;
	if ((flags & END_STREAM) != 0)
		finish(conn, slot, "no trailers");
}

static void take_frame(struct conn *conn, const uint8_t *head, const uint8_t *data, size_t len)
{
	int type = head[3], flags = head[4];
	uint32_t stream;
	memcpy(&stream, head + 5, sizeof(stream));
	stream = ntohl(stream) & 0x7fffffff;
	struct slot *slot = stream == 0 ? NULL : find_slot(conn, stream);
	if (type == DATA) {
		take_data(conn, slot, flags, len);
	} else if (type == HEADERS) {
		take_headers(conn, slot, flags, data, len);
	} else if (type == RST_STREAM && slot != NULL) {
		slot->status_ok = false;
		finish(conn, slot, "stream reset");
	} else if (type == SETTINGS && (flags & ACK) == 0) {
		put_frame(conn, SETTINGS, ACK, 0, NULL, 0);
	} else if (type == PING && (flags & ACK) == 0) {
		put_frame(conn, PING, ACK, 0, data, len);
	} else if (type == WINDOW_UPDATE && stream == 0 && len == 4) {
		uint32_t grant;
		memcpy(&grant, data, sizeof(grant));
		conn->window += ntohl(grant) & 0x7fffffff;
	} else if (type == GOAWAY) {
		die("the server says goodbye");
	}
}

static void take_frames(struct conn *conn)
{
	size_t at = 0;
	while (conn->in_len - at >= 9) {
		const uint8_t *head = conn->in + at;
		size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
		if (9 + len > IN_MAX)
			die("a frame is too long");
		if (conn->in_len - at - 9 < len)
			break;
		take_frame(conn, head, head + 9, len);
		at += 9 + len;
	}
	memmove(conn->in, conn->in + at, conn->in_len - at);
	conn->in_len -= at;
}

/* --- connections ------------------------------------------------------------- */

static void watch(struct conn *conn, int how, bool wants_write)
{
	struct epoll_event event = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0),
				     .data.ptr = conn };
	conn->wants_write = wants_write;
	if (epoll_ctl(poller, how, conn->fd, &event) != 0)
		die("cannot watch a connection");
}

static void flush(struct conn *conn)
{
	while (conn->out_sent < conn->out_len) {
		ERR_clear_error();
		int n = SSL_write(conn->ssl, conn->out + conn->out_sent,
				  (int)(conn->out_len - conn->out_sent));
		if (n > 0) {
			conn->out_sent += (size_t)n;
			continue;
		}
		if (SSL_get_error(conn->ssl, n) != SSL_ERROR_WANT_WRITE)
			die("cannot write");
		if (!conn->wants_write)
			watch(conn, EPOLL_CTL_MOD, true);
		return;
	}
	conn->out_len = conn->out_sent = 0;
	if (conn->wants_write)
		watch(conn, EPOLL_CTL_MOD, false);
}

static void receive(struct conn *conn)
{
	do {
		size_t room = IN_MAX + READ_MAX - conn->in_len;
		ERR_clear_error();
		int n = SSL_read(conn->ssl, conn->in + conn->in_len,
				 (int)(room < READ_MAX ? room : READ_MAX));
		if (n <= 0 && SSL_get_error(conn->ssl, n) == SSL_ERROR_WANT_READ)
			break;
		if (n <= 0)
			die("the server has hung up");
		conn->in_len += (size_t)n;
		take_frames(conn);
	} while (SSL_has_pending(conn->ssl));
	flush(conn);
}

static SSL_CTX *make_context(void)
{
	static const unsigned char alpn[] = "\x02h2";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_locations(context, options.ca, NULL) != 1 ||
	    SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1) != 0)
		die("cannot set up TLS");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	return context;
}

static void connect_to(struct conn *conn, SSL_CTX *context)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(options.port) };
	int one = 1;
	if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1)
		die("the address is not one");
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 ||
	    connect(conn->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		die("cannot connect");
	conn->ssl = SSL_new(context);
	if (conn->ssl == NULL ||
	    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(conn->ssl), options.host) != 1 ||
	    SSL_set_fd(conn->ssl, conn->fd) != 1 || SSL_connect(conn->ssl) != 1)
		die("cannot shake hands");
	int flags = fcntl(conn->fd, F_GETFL);
	if (flags < 0 || fcntl(conn->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		die("cannot make a connection non-blocking");
}

/* The preface, with windows for replies that never stand in the way. */
static void greet(struct conn *conn)
{
	static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const uint8_t settings[] = { 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff };
	static const uint8_t grant[] = { 0x3f, 0xff, 0, 0 };
	put(conn, magic, sizeof(magic) - 1);
	put_frame(conn, SETTINGS, 0, 0, settings, sizeof(settings));
	put_frame(conn, WINDOW_UPDATE, 0, 0, grant, sizeof(grant));
}

static void open_conns(void)
{
	SSL_CTX *context = make_context();
	poller = epoll_create1(EPOLL_CLOEXEC);
	conns = must_calloc((size_t)options.conns, sizeof(*conns));
	for (int i = 0; i < options.conns; i++) {
		struct conn *conn = &conns[i];
		connect_to(conn, context);
		conn->slots = must_calloc((size_t)options.streams, sizeof(*conn->slots));
		conn->in = must_calloc(IN_MAX + READ_MAX, 1);
		conn->out = must_calloc(OUT_MAX, 1);
		conn->next_stream = 1;
		conn->window = WINDOW;
		if (nghttp2_hd_inflate_new(&conn->inflater) != 0)
			die("out of memory");
		greet(conn);
		watch(conn, EPOLL_CTL_ADD, false);
	}
	SSL_CTX_free(context);
}

/* --- the run ----------------------------------------------------------------- */

static void turn(void)
{
	struct epoll_event events[64];
	int n = epoll_wait(poller, events, 64, 5);
	for (int i = 0; i < n; i++) {
		struct conn *conn = events[i].data.ptr;
		if ((events[i].events & EPOLLOUT) != 0)
			flush(conn);
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
			receive(conn);
	}
}

static void mark(const char *what)
{
	puts(what);
	fflush(stdout);
}

/* Returns the seconds that were counted. */
static double drive(void)
{
	int64_t counted_us = now_us() + (int64_t)(options.warm * 1e6);
	int64_t end_us = counted_us + (int64_t)(options.seconds * 1e6), now;
	for (int i = 0; i < options.conns; i++) {
		for (int j = 0; j < options.streams; j++)
			start(&conns[i], &conns[i].slots[j]);
		flush(&conns[i]);
	}
	while ((now = now_us()) < end_us && (finished < started || !counting)) {
		if (!counting && now >= counted_us) {
			counting = true;
			counted_us = now;
			mark("begin");
		}
		turn();
	}
	closing = true;
	counting = false;
	mark("end");
	while (finished < started && now_us() < end_us + DRAIN_US)
		turn();
	return (double)(now - counted_us) / 1e6;
}

static double number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end != '\0' || !(value >= min && value <= max))
		die("a number is out of its range");
	return value;
}

static void read_options(int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "p:A:m:f:c:s:u:d:n:1")) != -1) {
		switch (option) {
		case 'p':
			options.port = (uint16_t)number(optarg, 1, 65535);
			break;
		case 'A':
			options.ca = optarg;
			break;
		case 'm':
			options.path = optarg;
			break;
		case 'f':
			options.file = optarg;
			break;
		case 'c':
			options.conns = (int)number(optarg, 1, CONNS_MAX);
			break;
		case 's':
			options.streams = (int)number(optarg, 1, STREAMS_MAX);
			break;
		case 'u':
			options.warm = number(optarg, 0, 60);
			break;
		case 'd':
			options.seconds = number(optarg, 0.01, 600);
			break;
		case 'n':
			options.limit = (uint64_t)number(optarg, 1, 1e9);
			break;
		case '1':
			options.once = true;
			break;
		default:
			exit(2);
		}
	}
	if (options.port != 0 && options.ca != NULL && options.path != NULL && options.file != NULL)
		return;
	fprintf(stderr, "usage: load -p PORT -A CA -m /SERVICE/METHOD -f CALLS [-c CONNECTIONS]\n"
			"            [-s STREAMS] [-u WARM-UP] [-d SECONDS] [-n CALLS] [-1]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	calls_read(options.file);
	open_conns();
	double seconds = drive();
	errors += started - finished;
	for (char *c = first_error; *c != '\0'; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '\'';
	printf("{\"n\": %llu, \"errors\": %llu, \"secs\": %.4f, \"p50\": %.1f, \"p99\": %.1f, "
	       "\"first_error\": \"%s\"}\n",
	       (unsigned long long)done, (unsigned long long)errors, seconds,
	       histogram_percentile(0.5), histogram_percentile(0.99), first_error);
	return 0;
}
