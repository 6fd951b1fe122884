/* Text that may be stored and shown: UTF-8 (RFC 3629) whose characters are all
 * seen and change nothing around them. */
#include <string.h>

#include "common/scan.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

struct range {
	uint32_t first, last;
};

/* Beyond ASCII; in order. Direction changing, or without width. */
static const struct range refused[] = {
	{ 0x0080, 0x009f },   /* C1 controls */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x180e, 0x180e },   /* vowel separator */
	{ 0x200b, 0x200f },   /* zero width space and joiners, direction marks */
	{ 0x202a, 0x202e },   /* embeddings and overrides */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
	{ 0xfeff, 0xfeff },   /* zero width no-break space */
	{ 0xfff9, 0xfffb },   /* interlinear annotation */
	{ 0xe0000, 0xe007f }, /* tags */
};

static bool is_refused(uint32_t c)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (c <= refused[i].last)
			return c >= refused[i].first;
	}
	return false;
}

/* Bytes of the character at text, or 0 when it is not one; beyond ASCII. */
static size_t decode(uint32_t *out, const uint8_t *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t c;

	if (text[0] < 0xc2 || text[0] > 0xf4 || n > len)
		return 0;
	c = text[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

/* Whether all eight bytes are visible ASCII or spaces. */
static bool eight_plain(const uint8_t *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	if (word & EACH(0x80))
		return false;
	return (((word - EACH(0x20)) | (word + EACH(0x01))) & EACH(0x80)) == 0;
}

bool scan_text(const char *text, size_t len, bool multiline, size_t *chars)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t i = 0, n = 0;

	while (i < len) {
		uint32_t c = bytes[i];
		size_t width = 1;

		if (len - i >= 8 && eight_plain(bytes + i)) {
			i += 8;
			n += 8;
			continue;
		}
		if (c >= 0x80) {
			width = decode(&c, bytes + i, len - i);
			if (width == 0 || is_refused(c))
				return false;
		} else if (c < 0x20 || c == 0x7f) {
			if (!multiline || (c != '\t' && c != '\n' && c != '\r'))
				return false;
		}
		i += width;
		n++;
	}
	if (chars != NULL)
		*chars = n;
	return true;
}
