/* Bytes as base64 and hex; see base64.h. */
#include "client/cli/base64.h"

#include <string.h>

#include "client/cli/app.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits[] = "0123456789abcdef";

char *base64_encode(struct app *app, const uint8_t *data, size_t len)
{
	char *out = app_alloc(app, (len + 2) / 3 * 4 + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;
		bits |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < len ? data[i + 2] : 0;
		out[n++] = alphabet[bits >> 18];
		out[n++] = alphabet[bits >> 12 & 63];
		out[n++] = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? alphabet[bits & 63] : '=';
	}
	return out;
}

bool base64_decode(struct app *app, uint8_t **out, size_t *out_len, const char *text)
{
	size_t len = strlen(text);
	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return false;
	uint8_t *data = app_alloc(app, len / 4 * 3 + 3);
	size_t n = 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		const char *at = strchr(alphabet, c);
		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (i % 4 != 0)
			data[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	*out = data;
	*out_len = n;
	return true;
}

char *hex_encode(struct app *app, const uint8_t *data, size_t len)
{
	char *out = app_alloc(app, 2 * len + 1);
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(uint8_t *out, size_t len, const char *text)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
