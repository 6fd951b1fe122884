#include "common/buf.h"
#include "tests/unit/tap.h"

TEST(an_empty_buffer_owns_nothing)
{
	struct buf buf;

	buf_init(&buf, 100);
	CHECK(buf.data == NULL);
	CHECK_INT(buf_len(&buf), 0);
	CHECK(buf_add(&buf, NULL, 0));
	CHECK(buf.data == NULL);
	buf_done(&buf);
}

TEST(the_maximum_holds_and_a_refused_add_changes_nothing)
{
	struct buf buf;
	char bytes[101] = { 0 };

	buf_init(&buf, 100);
	CHECK(!buf_add(&buf, bytes, 101));
	CHECK(buf_add(&buf, bytes, 60));
	CHECK(!buf_add(&buf, bytes, 41));
	CHECK_INT(buf_len(&buf), 60);
	CHECK(buf_reserve(&buf, 41) == NULL);
	CHECK(buf_add(&buf, bytes, 40));
	CHECK_INT(buf_len(&buf), 100);
	CHECK(buf.cap <= 100);
	CHECK(!buf_add(&buf, bytes, 1));
	buf_done(&buf);
}

TEST(bytes_come_out_in_the_order_they_went_in)
{
	struct buf buf;
	unsigned in = 0, out = 0;

	buf_init(&buf, 1000);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 37; i++) {
			uint8_t byte = (uint8_t)in;

			if (!buf_add(&buf, &byte, 1))
				break;
			in++;
		}
		for (int i = 0; i < 31 && buf_len(&buf) > 0; i++) {
			if (!CHECK_INT(buf_bytes(&buf)[0], (uint8_t)out))
				return;
			buf_consume(&buf, 1);
			out++;
		}
	}
	CHECK_INT(buf_len(&buf), in - out);
	CHECK(out > 10000);
	buf_done(&buf);
}

TEST(reserved_room_is_added_when_it_is_committed)
{
	struct buf buf;
	uint8_t *room;

	buf_init(&buf, 4096);
	room = buf_reserve(&buf, 2000);
	CHECK(room != NULL);
	CHECK_INT(buf_len(&buf), 0);
	memset(room, 'x', 2000);
	buf_grow(&buf, 1500);
	CHECK_INT(buf_len(&buf), 1500);
	CHECK_INT(buf_bytes(&buf)[1499], 'x');
	buf_done(&buf);
}

TEST(an_emptied_buffer_gives_its_memory_back)
{
	struct buf buf;

	buf_init(&buf, 4096);
	CHECK(buf_add(&buf, "abc", 3));
	buf_consume(&buf, 2);
	CHECK(buf.data != NULL);
	buf_consume(&buf, 1);
	CHECK(buf.data == NULL);
	CHECK(buf_add(&buf, "abc", 3));
	buf_clear(&buf);
	CHECK(buf.data == NULL);
	CHECK_INT(buf_len(&buf), 0);
	CHECK(buf_add(&buf, "d", 1));
	buf_done(&buf);
	buf_done(&buf);
}

TAP_MAIN
