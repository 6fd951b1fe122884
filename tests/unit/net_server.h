/* A real worker in a child process, on a stand-in for the engine, and calls to it.
 * The child must end with 0 when it is told to drain (the last test of each
 * program), which with a sanitizer also says that nothing leaked or was used after
 * its end. */
#ifndef ISMS_TESTS_NET_SERVER_H
#define ISMS_TESTS_NET_SERVER_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/grpc.h"
#include "server/net/worker.h"
#include "tests/unit/net_client.h"
#include "tests/unit/net_fake.h"
#include "tests/unit/tap.h"

#define FAKE(name) "/test.v1.Fake/" name
#define NONE       ((struct field){ NULL, NULL })

static char cert_file[] = "/tmp/isms-net-cert-XXXXXX";
static char key_file[] = "/tmp/isms-net-key-XXXXXX";
static pid_t server;
static uint16_t port;
static struct worker *worker;

/* --- the server ----------------------------------------------------------- */

static void make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
				   -1, 0);
	X509_set_issuer_name(cert, name);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	X509_add_ext(cert, names, -1);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	FILE *file = fdopen(mkstemp(cert_file), "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fdopen(mkstemp(key_file), "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Flood: FLOOD_MESSAGES of FLOOD_BYTES, of which no more than FLOOD_QUEUE bytes and
 * one message ever wait, then OK, or INTERNAL when more did. */
enum { FLOOD_MESSAGES = 6000, FLOOD_BYTES = 1000, FLOOD_QUEUE = 64 * 1024 };

struct flood {
	unsigned sent, pauses;
};

static void flood_on(struct call *call)
{
	static const uint8_t message[FLOOD_BYTES];
	struct flood *flood = call->data;
	struct status st = STATUS_OK;
	while (flood->sent < FLOOD_MESSAGES) {
		if (call_queued(call) >= FLOOD_QUEUE) {
			flood->pauses++;
			call_want_room(call);
			return;
		}
		if (!call_send(call, message, sizeof(message)))
			return;
		flood->sent++;
	}
	if (flood->pauses < FLOOD_MESSAGES / 100)
		st = status_make(STATUS_CODE_INTERNAL, "NO_PAUSE", "more was waiting than may");
	call_finish(call, &st);
}

static void flood_start(struct call *call, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	call->data = arena_new_of(call->arena, struct flood);
	flood_on(call);
}

static const struct route flood_route = {
	.path = FAKE("Flood"), .streaming = true, .message = flood_start, .room = flood_on
};

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	worker_drain(worker);
}

static int serve(int listen_fd)
{
	struct arena *arena = arena_new(1 << 16);
	struct worker_settings settings = worker_settings_default;
	struct event_base *base = event_base_new();
	struct status st = tls_server_context(&settings.tls, cert_file, key_file, false, arena);
	if (!status_ok(&st) || base == NULL)
		return 2;
	fake_engine.base = base;
	settings.listen_fd = listen_fd;
	settings.connections_max = 20;
	settings.handshakes_max = 12;
	settings.handshake_us = 1500 * 1000;
	settings.routes = &flood_route;
	settings.n_routes = 1;
	worker = worker_new(base, &fake_engine, &settings);
	SSL_CTX_free(settings.tls);
	struct event *term = evsignal_new(base, SIGTERM, on_term, NULL);
	evsignal_add(term, NULL);
	worker_run(worker);
	worker_free(worker);
	event_free(term);
	event_base_free(base);
	arena_free(arena);
	return 0;
}

static void stop_server(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	unlink(cert_file);
	unlink(key_file);
}

static void start_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	make_certificate();
	if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0)
		exit(2);
	getsockname(fd, (struct sockaddr *)&address, &len);
	port = ntohs(address.sin_port);
	fflush(stdout);
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(serve(fd));
	}
	close(fd);
	atexit(stop_server);
}

static struct client open_client(void)
{
	struct client client;
	if (server == 0)
		start_server();
	CHECK(client_open(&client, port, cert_file));
	return client;
}

static inline struct answer call(struct client *client, const char *path, const char *text,
				 struct field extra)
{
	int32_t stream = client_call(client, path, extra);
	client_message(client, stream, text, true);
	return client_answer(client, stream);
}

/* The text of the reply; its prefix is checked. */
static inline const char *text_of(const struct answer *answer)
{
	static char text[ANSWER_DATA];
	CHECK(answer->data_len >= GRPC_PREFIX && answer->data_len < ANSWER_DATA);
	CHECK_INT(answer->data[0], 0);
	CHECK_INT(answer->data[4], answer->data_len - GRPC_PREFIX);
	snprintf(text, sizeof(text), "%.*s", (int)(answer->data_len - GRPC_PREFIX),
		 (const char *)answer->data + GRPC_PREFIX);
	return text;
}

static inline const char *reason_of(const struct answer *answer)
{
	static char reason[64];
	uint8_t details[8192];
	if (answer->details[0] == '\0')
		return "";
	struct arena *arena = arena_new(1 << 20);
	ptrdiff_t len = grpc_base64_decode(details, answer->details, strlen(answer->details));
	struct status st = grpc_status_decode(STATUS_CODE_UNKNOWN, "", details,
					      len < 0 ? 0 : (size_t)len, arena);
	snprintf(reason, sizeof(reason), "%s", st.reason != NULL ? st.reason : "");
	arena_free(arena);
	return reason;
}

/* Waits for the child's end after its SIGTERM: whether it exited with 0. */
static inline bool server_ended_well(void)
{
	int status = -1;
	bool well = waitpid(server, &status, 0) == server && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0;
	server = -1;
	return well;
}

#endif
