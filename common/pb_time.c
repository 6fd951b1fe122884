/* google.protobuf.Timestamp and microseconds since 1970 UTC. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"

#define SECOND_US  INT64_C(1000000)
#define FIRST_TIME INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_TIME  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

int64_t pb_time_us(const Google__Protobuf__Timestamp *timestamp)
{
	int64_t us;

	if (timestamp == NULL)
		return 0;
	if (__builtin_mul_overflow(timestamp->seconds, SECOND_US, &us) ||
	    __builtin_add_overflow(us, timestamp->nanos / 1000, &us))
		return timestamp->seconds < 0 ? INT64_MIN : INT64_MAX;
	return us;
}

/* Whole seconds, rounded down, and the microseconds above them. */
static int64_t split_us(int64_t unix_us, int *us)
{
	int64_t seconds = unix_us / SECOND_US;
	int rest = (int)(unix_us % SECOND_US);

	if (rest < 0) {
		seconds--;
		rest += (int)SECOND_US;
	}
	*us = rest;
	return seconds;
}

Google__Protobuf__Timestamp *pb_time_new(struct arena *arena, int64_t unix_us)
{
	Google__Protobuf__Timestamp *timestamp =
		(void *)pb_new(&google__protobuf__timestamp__descriptor, arena);
	int us;

	if (timestamp == NULL)
		return NULL;
	timestamp->seconds = split_us(unix_us, &us);
	timestamp->nanos = us * 1000;
	return timestamp;
}

bool pb_time_valid(const Google__Protobuf__Timestamp *timestamp)
{
	return timestamp->seconds >= FIRST_TIME && timestamp->seconds <= LAST_TIME &&
	       timestamp->nanos >= 0 && timestamp->nanos < 1000000000;
}

void pb_time_format(char out[32], int64_t unix_us)
{
	char text[96];
	struct tm tm;
	int us;
	time_t seconds = split_us(unix_us, &us);
	int len;

	gmtime_r(&seconds, &tm);
	len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (us > 0) {
		len += snprintf(text + len, sizeof(text) - (size_t)len, ".%06d", us);
		while (text[len - 1] == '0')
			len--;
	}
	text[len++] = 'Z';
	/* The longest, far beyond the year 9999, has 30 characters. */
	memcpy(out, text, (size_t)len);
	out[len] = '\0';
}
