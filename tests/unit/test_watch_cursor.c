#include "server/watch/cursor.h"
#include "tests/unit/tap.h"

static struct cursor at(int64_t tx, int64_t seq)
{
	return (struct cursor){ tx, seq };
}

TEST(cursors_are_ordered_by_transaction_then_number)
{
	CHECK_INT(cursor_compare(at(1, 9), at(2, 1)), -1);
	CHECK_INT(cursor_compare(at(2, 1), at(1, 9)), 1);
	CHECK_INT(cursor_compare(at(2, 1), at(2, 2)), -1);
	CHECK_INT(cursor_compare(at(2, 2), at(2, 1)), 1);
	CHECK_INT(cursor_compare(at(2, 2), at(2, 2)), 0);
	CHECK_INT(cursor_compare(at(2, 0), at(2, 1)), -1);
	CHECK_INT(cursor_compare(at(1, INT64_MAX), at(2, 0)), -1);
	struct cursor later = cursor_later(at(3, 1), at(2, 7));
	CHECK_INT(later.tx, 3);
	CHECK_INT(later.seq, 1);
}

TEST(a_cursor_survives_as_text)
{
	const struct cursor cursors[] = {
		{ 0, 0 }, { 1, 2 }, { 4294967296, 77 }, { INT64_MAX, INT64_MAX }
	};
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		char text[CURSOR_TEXT];
		struct cursor copy = { -1, -1 };
		cursor_format(text, cursors[i]);
		CHECK_INT(strlen(text), CURSOR_TEXT - 2);
		CHECK(cursor_parse(&copy, text));
		CHECK_INT(cursor_compare(copy, cursors[i]), 0);
	}
}

TEST(no_other_text_is_a_cursor)
{
	static const char *const texts[] = {
		"",
		"w1",
		"w100000000000000010000000000000",
		"w1000000000000000100000000000000020",
		"w2000000000000000100000000000000002",
		"w10000000000000001000000000000000g",
		"w1000000000000000A000000000000000B",
		"w1 000000000000001000000000000002",
		"w1-00000000000000100000000000000002",
		"w180000000000000000000000000000000",
		"w10000000000000001ffffffffffffffff",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cursor cursor = { 5, 6 };
		if (!CHECK(!cursor_parse(&cursor, texts[i])))
			printf("# %s\n", texts[i]);
		CHECK(cursor.tx == 5 && cursor.seq == 6);
	}
}

TAP_MAIN
