/* Replays calls with libisms: usage: replay ADDRESS CA_FILE < calls > replies.
 * A call is a line "PATH TOKEN HEX", TOKEN and HEX may be "-"; a reply is a line
 * "CODE REASON HEX", with "-" for what is empty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isms/api.h"
#include "isms/isms.h"

enum { LINE_MAX_BYTES = 1 << 21 };

static size_t from_hex(uint8_t *out, const char *hex)
{
	size_t n = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	for (size_t i = 0; i < n; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static void print_reply(const struct isms_reply *reply)
{
	const char *reason = isms_reply_reason(reply);
	printf("%d %s ", (int)isms_reply_code(reply), *reason != '\0' ? reason : "-");
	const ProtobufCMessage *message = isms_reply_message(reply);
	size_t len = message == NULL ? 0 : protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	if (bytes == NULL)
		exit(1);
	if (message != NULL)
		protobuf_c_message_pack(message, bytes);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("%s\n", len == 0 ? "-" : "");
	free(bytes);
}

static const struct isms_api_method *find(const char *path)
{
	for (size_t i = 0; i < isms_api_methods_count; i++)
		if (strcmp(isms_api_methods[i].path, path) == 0)
			return &isms_api_methods[i];
	return NULL;
}

static int replay(struct isms_client *client, char *line, uint8_t *bytes)
{
	char *rest = NULL;
	const char *path = strtok_r(line, " \n", &rest);
	const char *token = strtok_r(NULL, " \n", &rest);
	const char *hex = strtok_r(NULL, " \n", &rest);
	const struct isms_api_method *method = path == NULL ? NULL : find(path);
	if (method == NULL || hex == NULL)
		return 1;
	size_t len = from_hex(bytes, hex);
	ProtobufCMessage *request = protobuf_c_message_unpack(method->request, NULL, len, bytes);
	if (request == NULL ||
	    isms_client_set_token(client, strcmp(token, "-") == 0 ? NULL : token))
		return 1;
	struct isms_reply *reply = isms_call(client, path, request, method->response, NULL);
	print_reply(reply);
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
	char *line = malloc(LINE_MAX_BYTES);
	uint8_t *bytes = malloc(LINE_MAX_BYTES);
	int failed = client == NULL || line == NULL || bytes == NULL;
	while (!failed && fgets(line, LINE_MAX_BYTES, stdin) != NULL)
		failed = replay(client, line, bytes);
	isms_client_free(client);
	free(line);
	free(bytes);
	return failed;
}
