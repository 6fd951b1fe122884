/* Times that people type; see when.h. */
#include "client/cli/when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t second = 1000000;
static const int64_t last_us = INT64_C(253402300799) * 1000000 + 999999;

int64_t when_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * second + now.tv_nsec / 1000;
}

/* n digits at text as a number, or -1. */
static int number(const char *text, int n)
{
	int out = 0;
	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		out = out * 10 + (text[i] - '0');
	}
	return out;
}

static bool date(int64_t *out, const char *text)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = number(text, 4), month = -1, day = -1;
	if (year >= 1970 && text[4] == '-')
		month = number(text + 5, 2);
	if (month >= 1 && month <= 12 && text[7] == '-')
		day = number(text + 8, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day < 1 || day > days[month - 1] + (month == 2 && leap))
		return false;
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	*out = (int64_t)timegm(&tm) * second;
	return true;
}

static bool span(int64_t *out, const char *text, int64_t now)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	if (text[1] < '0' || text[1] > '9')
		return false;
	long n = strtol(text + 1, &end, 10);
	if (n > 1000000 || !*end || end[1])
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (*end == units[i].unit) {
			int64_t us = n * units[i].seconds * second;
			*out = text[0] == '-' ? now - us : now + us;
			return *out >= 0 && *out <= last_us;
		}
	return false;
}

bool when_parse_rfc3339(int64_t *out_us, const char *text)
{
	int64_t us;
	if (!date(&us, text) || !strchr("Tt ", text[10]) || !text[10])
		return false;
	const char *p = text + 11;
	int hour = number(p, 2), minute = -1, sec = -1;
	if (hour >= 0 && hour < 24 && p[2] == ':')
		minute = number(p + 3, 2);
	if (minute >= 0 && minute < 60 && p[5] == ':')
		sec = number(p + 6, 2);
	if (sec < 0 || sec > 59)
		return false;
	us += (hour * 3600 + minute * 60 + sec) * second;
	p += 8;
	if (*p == '.') {
		int64_t unit = second / 10;
		if (number(p + 1, 1) < 0)
			return false;
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			us += (*p - '0') * unit;
	}
	if (*p == '+' || *p == '-') {
		int east = number(p + 1, 2),
		    rest = east >= 0 && p[3] == ':' ? number(p + 4, 2) : -1;
		if (rest < 0 || east > 23 || rest > 59 || p[6])
			return false;
		us += (*p == '+' ? -1 : 1) * (east * 3600 + rest * 60) * second;
	} else if ((*p != 'Z' && *p != 'z') || p[1]) {
		return false;
	}
	if (us < 0 || us > last_us)
		return false;
	*out_us = us;
	return true;
}

bool when_parse(int64_t *out_us, const char *text, int64_t now_us)
{
	if (text[0] == '+' || text[0] == '-')
		return span(out_us, text, now_us);
	if (strlen(text) != 10)
		return when_parse_rfc3339(out_us, text);
	int64_t us;
	if (!date(&us, text))
		return false;
	*out_us = us + 86399 * second;
	return true;
}
