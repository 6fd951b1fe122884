/* TLS over a non-blocking socket, see tls.h. Read-ahead takes whatever the socket
 * has in one system call; tls_read remembers when nothing is left of it so that
 * a caller's loop ends without asking the socket again (level-triggered waiting
 * makes up for bytes that came in between). Bytes go out with MSG_NOSIGNAL
 * through a BIO of our own, since a library may not change what the program does
 * about SIGPIPE. After a fatal error nothing is sent on a stream any more. */
#include "common/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/arena.h"
#include "common/buf.h"

enum {
	TICKET_LIFETIME_S = 3600,
	CERT_LIST_MAX = 16 * 1024,
	VERIFY_DEPTH = 3,
	ERROR_MAX = 160,
};

struct tls_stream {
	SSL *ssl;
	BIO_METHOD *method;
	int fd;
	bool open;    /* handshake done and no fatal error since */
	bool drained; /* the last read left nothing behind */
	char error[ERROR_MAX];
};

static const unsigned char alpn_h2[] = { 2, 'h', '2' };

/* --- socket BIO ----------------------------------------------------------- */

static bool errno_retry(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static int socket_write(BIO *bio, const char *data, int len)
{
	const struct tls_stream *stream = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t n = send(stream->fd, data, (size_t)len, MSG_NOSIGNAL);
	if (n < 0 && errno_retry(errno)) {
		BIO_set_retry_write(bio);
	}
	return (int)n;
}

static int socket_read(BIO *bio, char *data, int len)
{
	const struct tls_stream *stream = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	errno = 0;
	ssize_t n = recv(stream->fd, data, (size_t)len, 0);
	if (n < 0 && errno_retry(errno)) {
		BIO_set_retry_read(bio);
	}
	return (int)n;
}

static long socket_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *socket_bio(struct tls_stream *stream)
{
	stream->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
	if (stream->method == NULL || !BIO_meth_set_write(stream->method, socket_write) ||
	    !BIO_meth_set_read(stream->method, socket_read) ||
	    !BIO_meth_set_ctrl(stream->method, socket_ctrl)) {
		return NULL;
	}
	BIO *bio = BIO_new(stream->method);
	if (bio != NULL) {
		BIO_set_data(bio, stream);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* --- contexts ------------------------------------------------------------- */

static struct status context_failed(struct arena *arena, const char *what, const char *file)
{
	ERR_clear_error();
	const char *message = file == NULL ? what : arena_printf(arena, "%s %s", what, file);
	return status_make(STATUS_CODE_FAILED_PRECONDITION, "TLS_CONFIGURATION",
			   message != NULL ? message : what);
}

static SSL_CTX *context_new(const SSL_METHOD *method, int version_min)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(method);
	if (context == NULL) {
		return NULL;
	}
	if (!SSL_CTX_set_min_proto_version(context, version_min) ||
	    !SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") ||
	    !SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")) {
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(context, CERT_LIST_MAX);
	SSL_CTX_set_verify_depth(context, VERIFY_DEPTH);
	return context;
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		     const unsigned char *offered, unsigned offered_len, void *arg)
{
	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < offered_len; i += 1U + offered[i]) {
		if (offered_len - i >= sizeof(alpn_h2) &&
		    memcmp(offered + i, alpn_h2, sizeof(alpn_h2)) == 0) {
			*out = offered + i + 1;
			*out_len = 2;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct status tls_server_context(struct ssl_ctx_st **out, const char *cert_file,
				 const char *key_file, bool tls12, struct arena *arena)
{
	SSL_CTX *context =
		context_new(TLS_server_method(), tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
	if (context == NULL) {
		return context_failed(arena, "cannot set up tls", NULL);
	}
	/* One ticket a connection, made without server state. The SSL_CTX must be
	 * made before the workers are forked if they are to share its key. */
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_timeout(context, TICKET_LIFETIME_S);
	SSL_CTX_set_max_early_data(context, 0);
	SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
	const char *what = NULL;
	const char *file = cert_file;
	if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1) {
		what = "cannot read the certificate chain in";
	} else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1) {
		/* A key that does not fit the certificate ends here, too. */
		what = "cannot read a key for the certificate in";
		file = key_file;
	} else if (SSL_CTX_check_private_key(context) != 1) {
		what = "the certificate does not belong to the key in";
		file = key_file;
	}
	if (what != NULL) {
		SSL_CTX_free(context);
		return context_failed(arena, what, file);
	}
	*out = context;
	return STATUS_OK;
}

struct status tls_client_context(struct ssl_ctx_st **out, const char *ca_file, struct arena *arena)
{
	SSL_CTX *context = context_new(TLS_client_method(), TLS1_2_VERSION);
	if (context == NULL) {
		return context_failed(arena, "cannot set up tls", NULL);
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	/* SSL_CTX_set_alpn_protos is the one function that returns 0 for success. */
	if (SSL_CTX_set_alpn_protos(context, alpn_h2, sizeof(alpn_h2)) != 0) {
		SSL_CTX_free(context);
		return context_failed(arena, "cannot set up tls", NULL);
	}
	int loaded = ca_file != NULL ? SSL_CTX_load_verify_file(context, ca_file)
				     : SSL_CTX_set_default_verify_paths(context);
	if (loaded != 1) {
		SSL_CTX_free(context);
		return context_failed(arena, "cannot read certificate authorities from",
				      ca_file != NULL ? ca_file : "the system");
	}
	*out = context;
	return STATUS_OK;
}

/* --- streams -------------------------------------------------------------- */

static bool verify_name(SSL *ssl, const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	}
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct tls_stream *tls_stream_new(struct ssl_ctx_st *context, int fd, const char *server_name)
{
	struct tls_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		return NULL;
	}
	stream->fd = fd;
	stream->ssl = SSL_new(context);
	BIO *bio = stream->ssl != NULL ? socket_bio(stream) : NULL;
	if (bio == NULL) {
		tls_stream_free(stream);
		return NULL;
	}
	SSL_set_bio(stream->ssl, bio, bio);
	if (server_name == NULL) {
		SSL_set_accept_state(stream->ssl);
		return stream;
	}
	SSL_set_connect_state(stream->ssl);
	if (!verify_name(stream->ssl, server_name)) {
		tls_stream_free(stream);
		return NULL;
	}
	return stream;
}

void tls_stream_free(struct tls_stream *stream)
{
	if (stream == NULL) {
		return;
	}
	if (stream->ssl != NULL) {
		if (stream->open) {
			ERR_clear_error();
			SSL_shutdown(stream->ssl);
		}
		ERR_clear_error();
		SSL_free(stream->ssl);
	}
	BIO_meth_free(stream->method);
	free(stream);
}

static void keep_error(struct tls_stream *stream, const char *text)
{
	size_t len = strnlen(text, ERROR_MAX - 1);
	memcpy(stream->error, text, len);
	stream->error[len] = '\0';
}

/* What SSL_get_error says about a call that returned n <= 0. */
static enum tls_result stream_result(struct tls_stream *stream, int n, int error)
{
	switch (SSL_get_error(stream->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		keep_error(stream, "closed by the peer");
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		stream->open = false;
		keep_error(stream,
			   error != 0 ? strerrordesc_np(error) : "connection cut by the peer");
		return TLS_CLOSED;
	default:
		break;
	}
	stream->open = false;
	unsigned long code = ERR_peek_error();
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		keep_error(stream, "connection cut by the peer");
		ERR_clear_error();
		return TLS_CLOSED;
	}
	long verify = SSL_get_verify_result(stream->ssl);
	const char *reason = ERR_reason_error_string(code);
	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verify != X509_V_OK) {
		reason = X509_verify_cert_error_string(verify);
	}
	keep_error(stream, reason != NULL ? reason : "tls protocol error");
	ERR_clear_error();
	return TLS_FAILED;
}

enum tls_result tls_handshake(struct tls_stream *stream)
{
	ERR_clear_error();
	errno = 0;
	int n = SSL_do_handshake(stream->ssl);
	if (n != 1) {
		return stream_result(stream, n, errno);
	}
	const unsigned char *protocol = NULL;
	unsigned len = 0;
	SSL_get0_alpn_selected(stream->ssl, &protocol, &len);
	if (len != 2 || memcmp(protocol, "h2", 2) != 0) {
		keep_error(stream, "the peer does not speak h2");
		return TLS_FAILED;
	}
	stream->open = true;
	return TLS_DONE;
}

enum tls_result tls_read(size_t *out_len, struct tls_stream *stream, uint8_t *data, size_t cap)
{
	if (stream->drained) {
		stream->drained = false;
		return TLS_WANT_READ;
	}
	ERR_clear_error();
	errno = 0;
	size_t len = 0;
	int n = SSL_read_ex(stream->ssl, data, cap, &len);
	if (n != 1) {
		return stream_result(stream, n, errno);
	}
	stream->drained = !SSL_has_pending(stream->ssl);
	*out_len = len;
	return TLS_DONE;
}

enum tls_result tls_write(struct tls_stream *stream, struct buf *buf)
{
	while (buf_len(buf) > 0) {
		ERR_clear_error();
		errno = 0;
		size_t len = 0;
		int n = SSL_write_ex(stream->ssl, buf_bytes(buf), buf_len(buf), &len);
		if (n != 1) {
			return stream_result(stream, n, errno);
		}
		buf_consume(buf, len);
	}
	return TLS_DONE;
}

const char *tls_stream_error(const struct tls_stream *stream)
{
	return stream->error;
}
