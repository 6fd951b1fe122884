/* Framing, timeouts and the encodings of metadata in gRPC over HTTP/2. */
#include "common/grpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TIMEOUT_DIGITS = 8, TIMEOUT_MAX = 99999999 };

/* Coarsest first; nanoseconds are below what we count in. */
static const struct {
	char letter;
	int64_t us;
} units[] = {
	{ 'H', INT64_C(3600000000) },
	{ 'M', 60000000 },
	{ 'S', 1000000 },
	{ 'm', 1000 },
	{ 'u', 1 },
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static struct status parse_prefix(uint32_t *out, const uint8_t prefix[GRPC_PREFIX], uint32_t max,
				  const char *too_large)
{
	uint32_t len = (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 |
		       (uint32_t)prefix[3] << 8 | prefix[4];

	if (prefix[0] > 1)
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "MALFORMED_FRAME",
				   "the flag byte of the message is neither 0 nor 1");
	if (prefix[0] == 1)
		return status_make(STATUS_CODE_INVALID_ARGUMENT, "COMPRESSED_MESSAGE",
				   "compressed messages are not taken");
	if (len > max)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", too_large);
	*out = len;
	return STATUS_OK;
}

struct status grpc_prefix_parse(uint32_t *out, const uint8_t prefix[GRPC_PREFIX])
{
	return parse_prefix(out, prefix, GRPC_MESSAGE_MAX, "a message holds at most 1 MiB");
}

struct status grpc_reply_prefix_parse(uint32_t *out, const uint8_t prefix[GRPC_PREFIX])
{
	return parse_prefix(out, prefix, GRPC_REPLY_MAX, "a reply holds at most 4 MiB");
}

void grpc_prefix_write(uint8_t prefix[GRPC_PREFIX], uint32_t len)
{
	prefix[0] = 0;
	prefix[1] = (uint8_t)(len >> 24);
	prefix[2] = (uint8_t)(len >> 16);
	prefix[3] = (uint8_t)(len >> 8);
	prefix[4] = (uint8_t)len;
}

bool grpc_timeout_parse(int64_t *out_us, const char *text, size_t len)
{
	int64_t value = 0;

	if (len < 2 || len > TIMEOUT_DIGITS + 1)
		return false;
	for (size_t i = 0; i < len - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	if (text[len - 1] == 'n') {
		*out_us = value / 1000;
		return true;
	}
	for (size_t i = 0; i < UNITS; i++) {
		if (text[len - 1] == units[i].letter) {
			*out_us = value * units[i].us;
			return true;
		}
	}
	return false;
}

void grpc_timeout_format(char out[10], int64_t us)
{
	size_t exact = UNITS, finest = UNITS;
	int64_t value;
	char letter;
	char text[32];

	/* The coarsest unit that loses nothing; else the finest that has room. */
	for (size_t i = 0; i < UNITS && us > 0; i++) {
		if (us / units[i].us > TIMEOUT_MAX)
			break;
		finest = i;
		if (us % units[i].us == 0 && exact == UNITS)
			exact = i;
	}
	if (exact != UNITS)
		finest = exact;
	if (us <= 0) {
		value = 1;
		letter = 'n';
	} else if (finest == UNITS) {
		value = TIMEOUT_MAX;
		letter = 'H';
	} else {
		value = us / units[finest].us;
		letter = units[finest].letter;
	}
	snprintf(text, sizeof(text), "%" PRId64 "%c", value, letter);
	memcpy(out, text, strlen(text) + 1);
}

static const char hex_digits[] = "0123456789ABCDEF";

size_t grpc_percent_encode(char *out, size_t cap, const char *text)
{
	size_t len = 0;

	if (cap == 0)
		return 0;
	for (const char *at = text; *at != '\0'; at++) {
		uint8_t byte = (uint8_t)*at;
		bool plain = byte >= 0x20 && byte <= 0x7e && byte != '%';

		if (len + (plain ? 1 : 3) > cap - 1)
			break;
		if (plain) {
			out[len++] = *at;
		} else {
			out[len++] = '%';
			out[len++] = hex_digits[byte >> 4];
			out[len++] = hex_digits[byte & 15];
		}
	}
	out[len] = '\0';
	return len;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What is not an escape stays as it is: a bad message must not hide a status. */
size_t grpc_percent_decode(char *out, size_t cap, const char *text, size_t len)
{
	size_t n = 0;

	if (cap == 0)
		return 0;
	for (size_t i = 0; i < len && n < cap - 1; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && len - i > 2) {
			high = hex_value(text[i + 1]);
			low = hex_value(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = text[i];
		}
	}
	out[n] = '\0';
	return n;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t grpc_base64_encode(char *out, const uint8_t *data, size_t len)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (held += 8; held >= 6; held -= 6)
			out[n++] = base64_digits[bits >> (held - 6) & 63];
	}
	if (held > 0)
		out[n++] = base64_digits[bits << (6 - held) & 63];
	out[n] = '\0';
	return n;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

ptrdiff_t grpc_base64_decode(uint8_t *out, const char *text, size_t len)
{
	ptrdiff_t n = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	if (len % 4 == 0 && len > 0 && text[len - 1] == '=')
		len -= text[len - 2] == '=' ? 2 : 1;
	if (len % 4 == 1)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	return n;
}
