/* Makes calls with libisms for the checker: usage: checker_driver ADDRESS CA_FILE.
 * A call is a line "PATH TOKEN TIMEOUT_MS BASE64" on standard input, an answer a line
 * "CODE REASON CURRENT_VERSION BASE64" on standard output; "-" stands for what is
 * empty. One client for the whole run: it reconnects and repeats by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isms/api.h"
#include "isms/isms.h"

enum { LINE_BYTES = 1 << 22 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t decode(uint8_t *out, const char *text)
{
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (; *text != '\0' && strchr(digits, *text) != NULL; text++) {
		bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	return n;
}

static void encode(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		unsigned bits = (unsigned)bytes[i] << 16 |
				(left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				(left > 2 ? (unsigned)bytes[i + 2] : 0);
		putchar(digits[bits >> 18]);
		putchar(digits[bits >> 12 & 63]);
		putchar(left > 1 ? digits[bits >> 6 & 63] : '=');
		putchar(left > 2 ? digits[bits & 63] : '=');
	}
}

static void answer(const struct isms_reply *reply)
{
	const char *reason = isms_reply_reason(reply);
	const char *version = isms_reply_fact(reply, "current_version");
	const ProtobufCMessage *message = isms_reply_message(reply);
	size_t len = message == NULL ? 0 : protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	if (bytes == NULL)
		exit(1);
	if (message != NULL)
		protobuf_c_message_pack(message, bytes);
	printf("%d %s %s ", (int)isms_reply_code(reply), *reason != '\0' ? reason : "-",
	       version != NULL ? version : "-");
	encode(bytes, len);
	printf("%s\n", len == 0 ? "-" : "");
	(void)fflush(stdout);
	free(bytes);
}

static const struct isms_api_method *find(const char *path)
{
	for (size_t i = 0; path != NULL && i < isms_api_methods_count; i++)
		if (strcmp(isms_api_methods[i].path, path) == 0)
			return &isms_api_methods[i];
	return NULL;
}

static int perform(struct isms_client *client, char *line, uint8_t *bytes)
{
	char *rest = NULL;
	const char *path = strtok_r(line, " \n", &rest);
	const char *token = strtok_r(NULL, " \n", &rest);
	const char *timeout = strtok_r(NULL, " \n", &rest);
	const char *body = strtok_r(NULL, " \n", &rest);
	const struct isms_api_method *method = find(path);
	struct isms_call_options options = ISMS_CALL_OPTIONS_INIT;
	if (method == NULL || body == NULL || isms_client_set_token(client, token))
		return 1;
	ProtobufCMessage *request =
		protobuf_c_message_unpack(method->request, NULL, decode(bytes, body), bytes);
	if (request == NULL)
		return 1;
	options.timeout_ms = strtol(timeout, NULL, 10);
	struct isms_reply *reply = isms_call(client, path, request, method->response, &options);
	answer(reply);
	isms_reply_free(reply);
	protobuf_c_message_free_unpacked(request, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	if (argc != 3)
		return 2;
	options.address = argv[1];
	options.ca_file = argv[2];
	struct isms_client *client = isms_client_new(&options);
	char *line = malloc(LINE_BYTES);
	uint8_t *bytes = malloc(LINE_BYTES);
	int failed = client == NULL || line == NULL || bytes == NULL;
	while (!failed && fgets(line, LINE_BYTES, stdin) != NULL)
		failed = perform(client, line, bytes);
	isms_client_free(client);
	free(line);
	free(bytes);
	return failed;
}
