/* UUIDs in canonical text. */
#include "common/uuid.h"

#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* Whether a hyphen stands before byte i. */
static bool group_starts(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(const char *text, uint8_t out[UUID_BYTES])
{
	uint8_t bytes[UUID_BYTES];
	const char *at = text;

	if (text == NULL || strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		int high, low;

		if (group_starts(i) && *at++ != '-')
			return false;
		high = digit_value(at[0]);
		low = digit_value(at[1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	memcpy(out, bytes, UUID_BYTES);
	return true;
}

void uuid_format(const uint8_t bytes[UUID_BYTES], char out[UUID_TEXT])
{
	char *at = out;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (group_starts(i))
			*at++ = '-';
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	*at = '\0';
}

void uuid_v7(int64_t unix_us, const uint8_t entropy[10], char out[UUID_TEXT])
{
	uint8_t bytes[UUID_BYTES];
	uint64_t ms = (uint64_t)(unix_us / 1000);

	for (size_t i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(bytes + 6, entropy, 10);
	bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f));
	bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
	uuid_format(bytes, out);
}
