/* Throw-away CA and server certificate, see certificate.h. */
#include "server/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "common/arena.h"
#include "server/file.h"

enum {
	DAY_SECONDS = 24 * 60 * 60,
	VALID_DAYS = 397,
	RENEW_DAYS = 30,
	SERIAL_BITS = 127,
};

static struct status openssl_fault(struct arena *arena, const char *what)
{
	char text[160];
	const char *message;

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	message = arena_printf(arena, "cannot %s: %s", what, text);
	ERR_clear_error();
	return status_make(STATUS_CODE_INTERNAL, "CERTIFICATE", message ? message : what);
}

static bool is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool names_host(X509 *certificate, const char *host)
{
	if (is_address(host))
		return X509_check_ip_asc(certificate, host, 0) == 1;
	return X509_check_host(certificate, host, 0, 0, NULL) == 1;
}

/* Whether what is stored can serve on: all three files, in time, named right. */
static bool still_good(const char *ca_path, const char *path, const char *key_path,
		       const char *host)
{
	BIO *file = BIO_new_file(path, "r");
	X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
	bool good = false;
	time_t then = time(NULL) + (time_t)RENEW_DAYS * DAY_SECONDS;

	if (certificate && file_exists(ca_path) && file_exists(key_path))
		good = X509_cmp_time(X509_get0_notAfter(certificate), &then) > 0 &&
		       names_host(certificate, "localhost") &&
		       (!host || names_host(certificate, host));
	X509_free(certificate);
	BIO_free(file);
	ERR_clear_error();
	return good;
}

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool done;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static bool set_serial(X509 *certificate)
{
	BIGNUM *serial = BN_new();
	bool done = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));

	BN_free(serial);
	return done;
}

static bool set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* A certificate without extensions, not signed; NULL on failure. */
static X509 *blank(const char *subject, const char *issuer, EVP_PKEY *key)
{
	X509 *certificate = X509_new();

	/* A day of grace for a client whose clock is behind. */
	if (certificate && X509_set_version(certificate, X509_VERSION_3) &&
	    set_serial(certificate) &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) &&
	    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)VALID_DAYS * DAY_SECONDS) &&
	    set_name(X509_get_subject_name(certificate), subject) &&
	    set_name(X509_get_issuer_name(certificate), issuer) &&
	    X509_set_pubkey(certificate, key))
		return certificate;
	X509_free(certificate);
	return NULL;
}

static X509 *make_ca(EVP_PKEY *key)
{
	const char *name = "ismsd embedded CA";
	X509 *ca = blank(name, name, key);

	if (ca && extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    extend(ca, ca, NID_subject_key_identifier, "hash") && X509_sign(ca, key, EVP_sha256()))
		return ca;
	X509_free(ca);
	return NULL;
}

static X509 *make_server(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *names)
{
	X509 *server = blank("ismsd", "ismsd embedded CA", key);

	if (server && extend(server, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	    extend(server, ca, NID_key_usage, "critical,digitalSignature") &&
	    extend(server, ca, NID_ext_key_usage, "serverAuth") &&
	    extend(server, ca, NID_subject_alt_name, names) &&
	    extend(server, ca, NID_subject_key_identifier, "hash") &&
	    extend(server, ca, NID_authority_key_identifier, "keyid:always") &&
	    X509_sign(server, ca_key, EVP_sha256()))
		return server;
	X509_free(server);
	return NULL;
}

/* Stores a certificate, or else a private key. */
static struct status store(const char *path, X509 *certificate, EVP_PKEY *key, struct arena *arena)
{
	BIO *text = BIO_new(BIO_s_mem());
	struct status st = STATUS_OK;
	char *data = NULL;
	long len = 0;

	if (!text ||
	    !(certificate ? PEM_write_bio_X509(text, certificate)
			  : PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL)))
		st = openssl_fault(arena, "write a certificate");
	if (status_ok(&st)) {
		len = BIO_get_mem_data(text, &data);
		st = file_write(path, data, (size_t)len, certificate ? 0644 : 0600, arena);
	}
	BIO_free(text);
	return st;
}

static struct status make_all(const char *ca_path, const char *path, const char *key_path,
			      const char *names, struct arena *arena)
{
	struct status st = STATUS_OK;
	EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *ca = ca_key ? make_ca(ca_key) : NULL;
	X509 *server = ca && key ? make_server(key, ca, ca_key, names) : NULL;

	if (!server) {
		st = openssl_fault(arena, "make a certificate");
		goto out;
	}
	st = store(key_path, NULL, key, arena);
	if (status_ok(&st))
		st = store(ca_path, ca, NULL, arena);
	if (status_ok(&st))
		st = store(path, server, NULL, arena);
out:
	X509_free(server);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return st;
}

struct status certificate_ensure(const char *folder, const char *host, struct arena *arena)
{
	const char *ca_path = arena_printf(arena, "%s/ca.crt", folder);
	const char *path = arena_printf(arena, "%s/server.crt", folder);
	const char *key_path = arena_printf(arena, "%s/server.key", folder);
	const char *names = "DNS:localhost,IP:127.0.0.1,IP:::1";

	if (host && (!host[0] || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
		     strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 ||
		     strcmp(host, "localhost") == 0))
		host = NULL;
	/* The list of names is a small language of OpenSSL's: nothing but a host. */
	if (host && strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789.:-") != strlen(host))
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "CERTIFICATE",
				   "the host to listen at is neither an address nor a DNS name");
	if (host)
		names = arena_printf(arena, "%s,%s:%s", names, is_address(host) ? "IP" : "DNS",
				     host);
	if (!ca_path || !path || !key_path || !names)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	if (still_good(ca_path, path, key_path, host))
		return STATUS_OK;
	return make_all(ca_path, path, key_path, names, arena);
}
