/* What the caller asked for, checked and copied. */
#ifndef ISMS_SDK_OPTIONS_H
#define ISMS_SDK_OPTIONS_H

#include <isms/isms.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	OPTIONS_TEXT_MAX = 4096, /* bytes of one string */
	OPTIONS_TIMEOUT_MS = 10000,
	OPTIONS_RETRIES = 3,
	OPTIONS_RETRIES_MAX = 100,
};

/* How to reach the server; all strings are owned. */
struct config {
	char *address; /* as given */
	char *host;
	char *port;
	char *ca_file;     /* or NULL */
	char *server_name; /* never NULL */
	char *token;       /* or NULL */
	int64_t timeout_us;
	bool verify;
};

/* What one call asked for; borrowed from its options. */
struct call_config {
	int64_t timeout_us;
	const char *request_id; /* or NULL */
	int retries;
};

/* false when out of memory or when the options are not usable. */
bool config_init(struct config *out, const struct isms_client_options *options);
void config_done(struct config *config);
/* false, with the old one kept, when out of memory or not a token. */
bool config_set_token(struct config *config, const char *token);

/* false when the options are not usable. */
bool call_config_init(struct call_config *out, const struct config *config,
		      const struct isms_call_options *options);

#endif
