/* Head of a request, see head.h. What is wrong is found when all fields are in, so
 * that the verdict does not hang on their order. */
#include "server/net/head.h"

#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/grpc.h"
#include "server/engine/principals.h"
#include "server/net/codec.h"

enum { FIELD_OVERHEAD = 32 }; /* RFC 9113, 6.5.2 */

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	{ ":method", offsetof(struct head, method) },
	{ ":path", offsetof(struct head, path) },
	{ "authorization", offsetof(struct head, authorization) },
	{ "content-type", offsetof(struct head, content_type) },
	{ "grpc-encoding", offsetof(struct head, encoding) },
	{ "grpc-timeout", offsetof(struct head, timeout) },
	{ "te", offsetof(struct head, te) },
};

static unsigned field_bit(size_t offset)
{
	return 1U << offset / sizeof(char *);
}

static const struct field *field_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strncmp(fields[i].name, name, len) == 0 && fields[i].name[len] == '\0') {
			return &fields[i];
		}
	}
	return NULL;
}

/* Base64, several values joined by commas, padded or not. */
static bool binary_valid(const char *value, size_t len)
{
	size_t digits = 0;
	size_t pads = 0;
	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? value[i] : ',';
		if (c == ',') {
			if (digits % 4 == 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 != 0)) {
				return false;
			}
			digits = 0;
			pads = 0;
		} else if (c == '=') {
			pads++;
		} else if (pads == 0 && (('A' <= c && c <= 'Z') || ('a' <= c && c <= 'z') ||
					 ('0' <= c && c <= '9') || c == '+' || c == '/')) {
			digits++;
		} else {
			return false;
		}
	}
	return true;
}

bool head_add(struct head *head, struct arena *arena, const char *name, size_t name_len,
	      const char *value, size_t value_len)
{
	const struct field *field = field_find(name, name_len);
	if (field != NULL && field->offset == offsetof(struct head, authorization) &&
	    value_len > HEAD_TOKEN_MAX) {
		head->bad_token = true;
		value_len = 0;
	}
	head->n_fields++;
	head->size += name_len + value_len + FIELD_OVERHEAD;
	if (head->n_fields > HEAD_FIELDS_MAX || head->size > CODEC_HEADER_LIST_MAX) {
		head->too_large = true;
		return true;
	}
	if (field != NULL) {
		const char **member = (const char **)((char *)head + field->offset);
		if (*member != NULL) {
			head->repeated |= field_bit(field->offset);
			return true;
		}
		*member = arena_strndup(arena, value, value_len);
		return *member != NULL;
	}
	if (name_len > 4 && memcmp(name + name_len - 4, "-bin", 4) == 0 &&
	    !binary_valid(value, value_len)) {
		head->malformed = true;
	}
	return true;
}

/* "application/grpc" or "application/grpc+proto", parameters aside. */
static bool content_type_grpc(const char *type)
{
	static const char grpc[] = "application/grpc";
	if (type == NULL || strncasecmp(type, grpc, sizeof(grpc) - 1) != 0) {
		return false;
	}
	type += sizeof(grpc) - 1;
	if (strncasecmp(type, "+proto", 6) == 0) {
		type += 6;
	}
	type += strspn(type, " \t");
	return *type == '\0' || *type == ';';
}

int head_http_error(const struct head *head)
{
	if (head->too_large) {
		return 0; /* the field that decides may be among those not kept */
	}
	if (head->method == NULL || strcmp(head->method, "POST") != 0) {
		return 405;
	}
	return content_type_grpc(head->content_type) ? 0 : 415;
}

struct status head_check(int64_t *timeout_us, const struct head *head)
{
	int64_t timeout = -1;
	if (head->too_large) {
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "METADATA_TOO_LARGE",
				   "the metadata is larger than 8 KiB or 64 fields");
	}
	if (head->bad_token ||
	    (head->repeated & field_bit(offsetof(struct head, authorization))) != 0) {
		return principals_refusal();
	}
	if (head->repeated != 0) {
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "METADATA_REPEATED",
				   "metadata that has one value was given twice");
	}
	if (head->te == NULL || strcmp(head->te, "trailers") != 0) {
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "TRAILERS_NEEDED",
				   "the request lacks te: trailers");
	}
	if (head->encoding != NULL && strcmp(head->encoding, "identity") != 0) {
		return status_make(STATUS_CODE_UNIMPLEMENTED, "ENCODING_UNKNOWN",
				   "messages cannot be compressed");
	}
	if (head->timeout != NULL &&
	    !grpc_timeout_parse(&timeout, head->timeout, strlen(head->timeout))) {
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "TIMEOUT_MALFORMED",
				   "grpc-timeout must be 1 to 8 digits and one of H M S m u n");
	}
	*timeout_us = timeout;
	return STATUS_OK;
}
