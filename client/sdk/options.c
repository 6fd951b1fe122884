/* Options of clients and calls: an options struct may come from a caller that was
 * compiled with an older, shorter one, so only what its size covers is read. */
#include "client/sdk/options.h"

#include <stdlib.h>
#include <string.h>

static bool text_ok(const char *text)
{
	return text == NULL || strnlen(text, OPTIONS_TEXT_MAX) < OPTIONS_TEXT_MAX;
}

/* Tokens go into a header as they are. */
static bool token_ok(const char *token)
{
	if (!text_ok(token)) {
		return false;
	}
	for (const char *c = token; c != NULL && *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~') {
			return false;
		}
	}
	return true;
}

static bool copy_text(char **out, const char *text)
{
	if (text == NULL) {
		*out = NULL;
		return true;
	}
	char *copy = strdup(text);
	if (copy == NULL) {
		return false;
	}
	*out = copy;
	return true;
}

static bool port_ok(const char *port)
{
	size_t len = strspn(port, "0123456789");
	return len > 0 && len <= 5 && port[len] == '\0' && strtoul(port, NULL, 10) - 1 < 65535;
}

/* "host:port" or "[v6]:port". */
static bool split_address(struct config *config)
{
	const char *host = config->address;
	const char *colon = strrchr(host, ':');
	if (colon == NULL || !port_ok(colon + 1)) {
		return false;
	}
	size_t len = (size_t)(colon - host);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len) != NULL) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (host[i] <= ' ' || host[i] > '~' || host[i] == '/') {
			return false;
		}
	}
	if (len == 0) {
		return false;
	}
	config->host = strndup(host, len);
	config->port = strdup(colon + 1);
	return config->host != NULL && config->port != NULL;
}

bool config_init(struct config *out, const struct isms_client_options *options)
{
	struct isms_client_options given = ISMS_CLIENT_OPTIONS_INIT;
	if (options == NULL || options->size < offsetof(struct isms_client_options, ca_file)) {
		return false;
	}
	memcpy(&given, options, options->size < sizeof(given) ? options->size : sizeof(given));
	if (given.address == NULL || !text_ok(given.address) || !text_ok(given.ca_file) ||
	    !text_ok(given.server_name) || !token_ok(given.token) || given.timeout_ms < 0) {
		return false;
	}
	struct config config = { .verify = given.insecure_no_verify == 0 };
	int64_t timeout_ms = given.timeout_ms > 0 ? given.timeout_ms : OPTIONS_TIMEOUT_MS;
	config.timeout_us = timeout_ms < INT64_MAX / 4000 ? timeout_ms * 1000 : INT64_MAX / 4;
	if (!copy_text(&config.address, given.address) || !split_address(&config) ||
	    !copy_text(&config.ca_file, given.ca_file) ||
	    !copy_text(&config.server_name,
		       given.server_name != NULL ? given.server_name : config.host) ||
	    !copy_text(&config.token, given.token)) {
		config_done(&config);
		return false;
	}
	*out = config;
	return true;
}

static void forget_token(char *token)
{
	if (token != NULL) {
		explicit_bzero(token, strlen(token));
		free(token);
	}
}

void config_done(struct config *config)
{
	free(config->address);
	free(config->host);
	free(config->port);
	free(config->ca_file);
	free(config->server_name);
	forget_token(config->token);
}

bool config_set_token(struct config *config, const char *token)
{
	char *copy = NULL;
	if (!token_ok(token) || !copy_text(&copy, token)) {
		return false;
	}
	forget_token(config->token);
	config->token = copy;
	return true;
}

bool call_config_init(struct call_config *out, const struct config *config,
		      const struct isms_call_options *options)
{
	struct isms_call_options given = ISMS_CALL_OPTIONS_INIT;
	if (options != NULL) {
		if (options->size < sizeof(options->size)) {
			return false;
		}
		memcpy(&given, options,
		       options->size < sizeof(given) ? options->size : sizeof(given));
	}
	if (given.timeout_ms < 0 || !text_ok(given.request_id) ||
	    given.max_retries > OPTIONS_RETRIES_MAX) {
		return false;
	}
	int64_t timeout_us = config->timeout_us;
	if (given.timeout_ms > 0) {
		timeout_us = given.timeout_ms < INT64_MAX / 4000 ? given.timeout_ms * 1000
								 : INT64_MAX / 4;
	}
	*out = (struct call_config){
		.timeout_us = timeout_us,
		.request_id = given.request_id,
		.retries = given.max_retries > 0    ? given.max_retries
			   : given.max_retries == 0 ? OPTIONS_RETRIES
						    : 0,
	};
	return true;
}
